// The equations of the model and its random draws: laws.py, mechanisms.py and rng.py in C++.
// Operations stand in the order of the Python text, so that results agree to the last bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "layout.hpp"  // records and constants, written by benchmarks/cpp.py from the declarations

using std::exp;
using std::int64_t;
using std::log;
using std::max;
using std::min;
using std::pow;
using std::sqrt;

constexpr double INFINITE = std::numeric_limits<double>::infinity();
constexpr double PI = 3.141592653589793;

struct Key {
    int64_t seed, run, quarter;
};

namespace rng {

struct Words {
    uint32_t at[4];
};

inline Words philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
    for (int turn = 0; turn < 10; ++turn) {
        uint64_t one = uint64_t{0xD2511F53} * c0, two = uint64_t{0xCD9E8D57} * c2;
        c0 = uint32_t(two >> 32) ^ c1 ^ k0;
        c1 = uint32_t(two);
        c2 = uint32_t(one >> 32) ^ c3 ^ k1;
        c3 = uint32_t(one);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{c0, c1, c2, c3}};
}

inline Words words(const Key& key, int64_t purpose, int64_t block, int64_t i, int64_t j) {
    uint32_t counter = uint32_t(key.quarter | purpose << 16 | block << 24);
    return philox(uint32_t(i), uint32_t(j), counter, uint32_t(key.run), uint32_t(key.seed),
                  uint32_t(uint64_t(key.seed) >> 32));
}

inline double unit(uint32_t word) { return (double(word) + 0.5) * 0x1p-32; }

inline double uniform_of(const Words& four, int64_t area) { return unit(four.at[area % 4]); }

inline double uniform_by_area(const Key& key, int64_t purpose, int64_t i, int64_t j, int64_t area) {
    return uniform_of(words(key, purpose, area / 4, i, j), area);
}

struct Normals {
    double at[4];
};

inline Normals normals(const Words& four) {
    double one = sqrt(-2.0 * log(unit(four.at[0]))), two = sqrt(-2.0 * log(unit(four.at[2])));
    double turn = 2.0 * PI * unit(four.at[1]), other = 2.0 * PI * unit(four.at[3]);
    return {{one * std::cos(turn), one * std::sin(turn), two * std::cos(other),
             two * std::sin(other)}};
}

inline double normal_by_area(const Key& key, int64_t purpose, int64_t i, int64_t j, int64_t area) {
    Words four = words(key, purpose, area / 4, i, j);
    int64_t place = area % 4, first = place - place % 2;
    double length = sqrt(-2.0 * log(unit(four.at[first])));
    double turn = 2.0 * PI * unit(four.at[first + 1]);
    return length * (place % 2 == 0 ? std::cos(turn) : std::sin(turn));
}

inline double gamma(const Key& key, int64_t purpose, int64_t i, int64_t number, double shape) {
    double raised = shape >= 1.0 ? shape : shape + 1.0, middle = raised - 1.0 / 3.0;
    double width = 1.0 / sqrt(9.0 * middle), found = middle;
    for (int64_t attempt = 0; attempt < ATTEMPTS; ++attempt) {
        Words four = words(key, purpose, attempt, i, number);
        double normal = normals(four).at[0], root = 1.0 + width * normal;
        if (root > 0.0) {
            double cube = root * root * root;
            double most = 0.5 * normal * normal + middle * (1.0 - cube + log(cube));
            if (log(unit(four.at[2])) < most) {
                found = middle * cube;
                break;
            }
        }
    }
    if (shape < 1.0)
        found *= pow(unit(words(key, purpose, ATTEMPTS, i, number).at[0]), 1.0 / shape);
    return found;
}

}  // namespace rng

namespace laws {

using P = Parameters;

inline double clip(double value, double low, double high) { return min(max(value, low), high); }
inline double logistic(double odds) { return 1.0 / (1.0 + exp(-clip(odds, -STEEPEST, STEEPEST))); }

// Every effect of a lever is one of these: it removes, opens up, or adds a share of a friction.
inline double less(double term, double strength, double x) { return term * (1.0 - strength * x); }
inline double over(double term, double strength, double x) { return term / (1.0 - strength * x); }
inline double rest(double term, double strength, double x) {
    return term + (1.0 - term) * (strength * x);
}
inline double learnt(double term, double strength, double x, const P& p) {
    return term + p.learning * (strength * x);
}

inline double unit_cost(double people, double scale, double below, double above, int64_t curve) {
    double distance = log(people / scale);
    if (distance >= 0.0) return exp(min(0.5 * above * distance * distance, STEEPEST));
    if (curve == POWER) return exp(min(-0.5 * below * SIXTH * distance, STEEPEST));
    if (curve == HYPERBOLA) {
        double rise = exp(0.5 * below * SIXTH * SIXTH) - 1.0, fixed = rise / (5.0 - rise);
        return (1.0 + fixed * exp(min(-distance, STEEPEST))) / (1.0 + fixed);
    }
    return exp(min(0.5 * below * distance * distance, STEEPEST));
}

// A term under user-defined mechanisms; `effects` is the area's row of State::effect.
template <int TERM>
inline double act(double value, const double* effects) {
    return clip(effects[2 * TERM] * value + effects[2 * TERM + 1], LEAST[TERM], MOST[TERM]);
}

inline double distance(double members, double squares, double square_of_sum, double reference) {
    double pairs = members * (members - 1.0);
    double apart = max(members * squares - square_of_sum, 0.0);
    return pairs * reference > 0.0 ? 2.0 * apart / (pairs * reference) : 0.0;
}

inline double distance_from(double members, double squares, double square, double product,
                            double reference) {
    double apart = max(members * square - 2.0 * product + squares, 0.0), others = members - 1.0;
    return others * reference > 0.0 ? apart / (others * reference) : 0.0;
}

inline double culture_reference(double dimensions) { return 2.0 * dimensions; }
inline double interest_reference(double areas) {
    return 2.0 * (1.0 - 1.0 / areas) / (REFERENCE_CONCENTRATION * areas + 1.0);
}
inline double practice_reference() { return 2.0; }

inline double information_cost(double distance, double forum, double system, const P& p) {
    double cost = p.information_cost + p.culture_cost * distance;
    return less(less(cost, p.forum_strength, forum), p.information_strength, system);
}
inline double practice_cost(double distance, double system, const P& p) {
    return less(p.practice_cost * distance, p.information_strength, system);
}
inline double steering(double team, const P& p) { return rest(0.0, p.team_strength, team); }
inline double negotiation_cost(double distance, double members, double exponent, double steering,
                               double planning, double team, double mediation, const P& p) {
    double growth = exponent - steering * max(0.0, exponent - PARTNERS_LEAD);
    double cost = p.negotiation_cost * (1.0 + p.interest_weight * distance) *
                  pow(max(members - 1.0, 1.0), growth);
    cost = less(less(cost, p.planning_strength, planning), p.team_strength, team);
    return less(cost, p.ngo_strength, mediation);
}
inline double scoped(double cost, double again, const P& p) { return cost * (1.0 - p.scope * again); }
inline double enforcement_cost(double trust, double difficulty, int64_t form, double monitoring,
                               const P& p) {
    double weight = form == CONTRACT ? p.contract_difficulty : 1.0;
    double cost = p.enforcement_cost * (1.0 - trust) * (1.0 + weight * difficulty);
    return less(cost, p.monitoring_strength, monitoring);
}
inline double unforeseen(double system, double planning, const P& p) {
    double missed = less(1.0 - p.foreseen, p.information_strength, system);
    return less(missed, p.planning_strength, planning);
}

inline double transition(double age, const P& p) {
    return p.transition_cost * exp(-clip(age / TRANSITION_YEARS, 0.0, STEEPEST));
}
inline double mean_transition(const P& p) {
    double spent = 1.0 - exp(-clip(p.horizon_years / TRANSITION_YEARS, 0.0, STEEPEST));
    return p.transition_cost * TRANSITION_YEARS / p.horizon_years * spent;
}
inline double haul_cost(double haul, double radius) { return haul * radius / HAUL_UNIT; }
inline double radius(double people, double x, double y, double z, double earth) {
    double inside = 1.0 - (x * x + y * y + z * z) / max(people * people, 1e-300);
    return earth * sqrt(max(inside, 0.0));
}
inline double joint_cost(double people, double unit, double coordination, double haul,
                         double penalty) {
    return people * unit * (1.0 + coordination + haul + penalty);
}
inline double startup(double stress, double first_year, const P& p) {
    return p.startup_cost * (1.0 + stress) * first_year;
}
inline double aided(double government, double business, const P& p) {
    return min(1.0, p.grant_strength * government + p.business_strength * business);
}

inline double strained(double demand) { return exp(-STRAIN * log(max(demand, 1.0))); }
inline double pooling(double forum, double business, const P& p) {
    return rest(rest(p.pooling, p.forum_strength, forum), p.business_strength, business);
}
inline double pooled_capacity(double mean, double best, double pooling) {
    return mean + pooling * (best - mean);
}
inline double remoteness(double radius, double voice, const P& p) {
    return less(min(REMOTENESS * radius / HAUL_UNIT, 1.0), p.community_strength, voice);
}
inline double joint_quality(double capacity, double shortfall, double penalty, double remoteness) {
    double left = (1.0 - SHORTFALL_QUALITY * shortfall) * (1.0 - min(penalty, 1.0));
    return capacity * left * (1.0 - remoteness);
}

inline double autonomy_loss(double autonomy, double part, const P& p) {
    return p.autonomy_cost * autonomy * (1.0 - part);
}
inline double fit_loss(double wish, double joint, double areas, const P& p) {
    double apart = areas * (wish - joint);
    return p.interest_fit * apart * apart;
}
inline double fit_loss_of_all(double squares, double total, double members, double joint,
                              double areas, const P& p) {
    double apart = squares - 2.0 * joint * total + members * joint * joint;
    return p.interest_fit * areas * areas * max(apart, 0.0);
}
inline double planned_fit(double loss, double planning, const P& p) {
    return less(loss, p.planning_strength, planning);
}
inline double net_benefit(double cost_ratio, double quality_gain, double lost_autonomy,
                          double misfit, const P& p) {
    return 1.0 - cost_ratio + p.quality_value * quality_gain - lost_autonomy - misfit;
}

inline double attention_odds(double unit, double stress, double peers, const P& p) {
    return p.attention_base + p.attention_cost * (unit - 1.0) + ATTENTION_STRESS * stress +
           ATTENTION_PEERS * peers;
}
inline double attention(double odds, double grant, double forum, const P& p) {
    return over(over(logistic(odds), p.grant_strength, grant), p.forum_strength, forum);
}
inline double noticing(double near, double trust, double forum, double tier, const P& p) {
    double chance = p.notice * near * (0.5 + trust) * (1.0 + NOTICE_TIER * tier);
    return rest(clip(chance, 0.0, 1.0), p.forum_strength, forum);
}
inline double misperception(double forum, double planning, const P& p) {
    return less(less(p.misperception, p.forum_strength, forum), p.planning_strength, planning);
}

inline double decision_rate(double trust, double commitment, double culture, double interests,
                            double partners, double members, int64_t form, double planning,
                            double team, double mediation, const P& p) {
    double power = p.decision_trust * (trust - REFERENCE_TRUST) +
                   p.decision_commitment * (commitment - REFERENCE_COMMITMENT) -
                   DECISION_DIFFERENCE * (culture + interests) + DECISION_PARTNERS * partners;
    double slow = form == BOARD ? pow(max(members - 1.0, 1.0), DECISION_MEMBERS) : 1.0;
    double rate = p.decision_speed * exp(clip(power, -STEEPEST, STEEPEST)) / slow;
    rate = over(over(rate, p.planning_strength, planning), p.team_strength, team);
    return over(rate, p.ngo_strength, mediation);
}
inline double conclusion(double rate) { return 1.0 - exp(-min(rate, STEEPEST)); }
inline double matter_time(double rate) { return MATTER_MONTHS / max(rate, 1e-9); }

inline double observed(double monitoring, double system, const P& p) {
    double seen = rest(OBSERVATION, p.monitoring_strength, monitoring);
    return rest(seen, p.information_strength, system);
}
inline double conduct_odds(double goodwill, double commitment, double trust, double stress,
                           double part, double seen, const P& p) {
    double temptation = SHORTFALL_SHARE * (1.0 - part) * (1.0 - seen);
    return p.honour_base + HONOUR_GOODWILL * (goodwill - REFERENCE_GOODWILL) +
           HONOUR_COMMITMENT * (commitment - REFERENCE_COMMITMENT) +
           HONOUR_TRUST * (trust - REFERENCE_TRUST) - HONOUR_STRESS * stress -
           HONOUR_TEMPTATION * temptation / TEMPTATION_UNIT;
}
inline double conduct(double odds, double voice, const P& p) {
    return rest(logistic(odds), p.community_strength, voice);
}

inline double leaving(double load, double trust, double commitment, const P& p) {
    double reasons = EXIT_LOAD * (load / LOAD_UNIT - 1.0) +
                     p.exit_trust * (REFERENCE_TRUST - trust) / DISTRUST_UNIT -
                     EXIT_COMMITMENT * (commitment - REFERENCE_COMMITMENT);
    double hazard = p.exit_base * exp(clip(reasons, -STEEPEST, STEEPEST));
    return 1.0 - exp(-min(hazard / QUARTERS, STEEPEST));
}

inline double closer(double value, double goal, double part) {
    return value + part * (goal - value);
}
// LLVM replaces the power of one half by a root, and no other.
inline double faster(double part, double times) {
    return 1.0 - (times == 0.5 ? sqrt(1.0 - part) : pow(1.0 - part, times));
}
inline double trust_built(double forum, double team, double mediation, const P& p) {
    double built = learnt(0.0, p.forum_strength, forum, p);
    return learnt(learnt(built, p.team_strength, team, p), p.ngo_strength, mediation, p);
}
inline double reach(double trust, double damage) { return max(trust, 1.0 - damage); }
inline double commitment_goal(double realised, double expected) {
    return logistic(EARNED + (realised - expected) / EARNED_UNIT);
}

inline double ties(double members, int64_t form) {
    return form == CONTRACT ? members - 1.0 : 0.5 * members * (members - 1.0);
}
inline double mean_trust(double total, double ties) { return total / max(2.0 * ties, 1.0); }
inline double partner_exponent(int64_t form) {
    return form == CONTRACT ? PARTNERS_CONTRACT : form == LEAD ? PARTNERS_LEAD : PARTNERS_BOARD;
}
inline double expected_members(double scale, double people, double cap) {
    return clip(scale / people, 2.0, max(cap, 2.0));
}
inline double overhead_cost(int64_t form, const P& p) {
    return form == CONTRACT ? 0.0 : p.overhead_cost;
}
inline double sharing_weight(int64_t rule, double people, double alone, double stress) {
    if (rule == BY_POPULATION) return people;
    if (rule == BY_ABILITY) return people * max(1.0 - stress, 0.01);
    return rule == BY_BENEFIT ? people * alone : 1.0;
}
inline double entry_weight(double stress, double burden, double aid) {
    return (1.0 + stress) * burden * (1.0 - aid);
}
inline double entry_cost(double stress, double first_year, double aid, const P& p) {
    return startup(stress, first_year, p) * (1.0 - aid) / p.horizon_years;
}
inline double granted(double due, double government, double business, const P& p) {
    double grant = p.grant_strength * government, share = p.business_strength * business;
    return due * grant / max(grant + share, 1.0);
}
inline double cofinanced(double due, double government, double business, const P& p) {
    double grant = p.grant_strength * government, share = p.business_strength * business;
    return due * share / max(grant + share, 1.0);
}
inline double quality_worth(double gain, const P& p) { return p.quality_value * gain; }
inline double with_goodwill(double own, double whole, double others, double goodwill) {
    return own + goodwill * (whole - own) / max(others, 1.0);
}
inline double union_change(double members, double cost, double spill, double quality,
                           double autonomy, double misfit, double price, double entry,
                           double judged, const P& p) {
    double after = members - cost + spill + p.quality_value * quality -
                   p.autonomy_cost * autonomy - misfit;
    return after - p.startup_cost * price * entry / p.horizon_years - judged;
}
inline double mandated_goodwill(double goodwill, bool is_bound) {
    return goodwill * (is_bound ? MANDATED : 1.0);
}
inline bool consents(double votes, double people, int64_t consent) {
    if (consent == UNANIMITY) return votes >= people;
    return consent == MAJORITY ? votes > 0.5 * people : votes >= 0.75 * people;
}
inline double kept_back(double kept, double seen) {
    return (1.0 - kept) * (1.0 - seen) * SHORTFALL_SHARE;
}
inline double bound_goal(double goal, double bound, double joint) {
    return goal * (1.0 - (1.0 - MANDATED) * bound / joint);
}

inline double initial_culture(double tier, double own, const P& p) {
    double between = sqrt(p.culture_between) * tier + sqrt(1.0 - p.culture_between) * own;
    return p.culture_spread * between;
}
inline double initial_capacity(double population, double deviation, const P& p) {
    double size = log(population / REFERENCE_POPULATION);
    return clip(MEAN_CAPACITY + CAPACITY_BY_SIZE * size + p.capacity_spread * deviation, 0.0, 1.0);
}
inline double initial_trust(double distance, double deviation, const P& p) {
    double trust = p.trust_start - p.trust_culture * (distance - 1.0) + TRUST_SPREAD * deviation;
    return clip(trust, 0.0, 1.0);
}
inline double settled_trust(double trust, double years, const P& p) {
    double passed = 1.0 - exp(-clip(years / PAST_YEARS, 0.0, STEEPEST));
    return trust + max(p.past_trust - trust, 0.0) * passed;
}
inline double settled_practice(double years, const P& p) {
    return 1.0 - pow(1.0 - p.learning, QUARTERS * max(years, 0.0));
}

}  // namespace laws
