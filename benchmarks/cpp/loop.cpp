// The compiled loop of the ensemble in C++: what a careful port of the same algorithms takes.
//
// It follows stages.py, agreements.py, interventions.py, initialisation.py and recording.py
// function by function, for the built-in rules, on the arrays that Python lays out. Left out: the
// trace, and rules and measures of users.

#include <cstddef>
#include <numeric>
#include <vector>

#include "ahead.hpp"

using std::vector;

// Levers and their cost: interventions.py ----------------------------------------------------------

constexpr int64_t MEMBERS_PAY = 0, CENTRE_PAYS = 1, TIER_PAYS = 3;
constexpr int64_t ON_JOINT_COST = 1;
constexpr int64_t MANDATE_WIDTH = 4 + CAP, BODY_WIDTH = 5 + CAP;

template <typename Value>
static vector<int64_t> argsort(const vector<Value>& values) {
    vector<int64_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t one, int64_t two) { return values[one] < values[two]; });
    return order;
}

struct Strategy : Policy {
    int64_t regions, areas, customs;
    double intensity(int64_t phase, int64_t a, int64_t l) const {
        return lever[(phase * areas + a) * CUSTOM + l];
    }
    int64_t counts(int64_t phase, int64_t l) const { return counted[phase * (CUSTOM + customs) + l]; }
    double yearly(int64_t phase, int64_t a, int64_t u) const {
        return rate[(phase * areas + a) * customs + u];
    }
    double most(int64_t phase, int64_t supporter) const { return budget[phase * 4 + supporter]; }
    double price_of(int64_t phase, int64_t l) const { return price[phase * CUSTOM + l]; }
    const int64_t* order(int64_t g) const { return mandate + g * MANDATE_WIDTH; }
    bool is_offered(int64_t l, int64_t quarter) const {
        if (quarter < 0) return false;
        for (int64_t a = 0; a < areas; ++a)
            if (intensity(period[quarter], a, l) > 0.0) return true;
        return false;
    }
};

static double& paid(const State& s, int64_t lever) { return s.ledger[lever]; }
static double& share(const State& s, int64_t lever) { return s.ledger[CUSTOM + 2 + lever]; }

static double& offer_of(Slot& slot, int64_t lever) {
    if (lever == GOVERNMENT) return slot.government;
    if (lever == NGO) return slot.ngo;
    return lever == BUSINESS ? slot.business : slot.community;
}

static double service_cost(const Slot& slot) {
    return slot.body != NONE ? slot.due : slot.people * slot.alone;
}

static double charge(int64_t lever, const Region& region, const Slot& slot, const Area& area,
                     double price, const P& p) {
    double usual = p.lever_price, intensity = 0.0;
    if (lever == FORUM) {
        usual *= MEETING_PRICE;
        intensity = region.forum >= 0 ? area.forum : 0.0;
    } else if (lever == COMMUNITY) {
        usual *= MEETING_PRICE;
        intensity = slot.community;
    } else if (slot.body == NONE) {
        return 0.0;
    } else if (lever == NGO) {
        intensity = slot.ngo;
    } else if (lever == BUSINESS) {
        intensity = slot.business;
    } else if (lever == PLANNING) {
        intensity = area.planning;
    } else if (lever == TEAM) {
        intensity = area.team;
    } else if (lever == INFORMATION) {
        intensity = area.information;
    } else if (lever == MONITORING) {
        intensity = area.monitoring;
    }
    return (std::isnan(price) ? usual : price) * intensity * service_cost(slot);
}

static double running_cost(int64_t lever, const State& s, double price, const P& p) {
    double total = 0.0;
    for (int64_t i = 0; i < s.regions; ++i)
        for (int64_t a = 0; a < s.areas; ++a) {
            double yearly = charge(lever, s.region[i], s.at(i, a), s.area[a], price, p);
            total += yearly * s.area[a].cost_per_resident / QUARTERS;
        }
    return total;
}

static double payable(int64_t lever, double startup, const State& s, const Strategy& policy,
                      const P& p, int64_t quarter) {
    int64_t phase = policy.period[quarter];
    if (lever == GOVERNMENT || policy.counts(phase, lever) <= 0 ||
        !policy.is_offered(lever, quarter))
        return 0.0;
    double running = running_cost(lever, s, policy.price_of(phase, lever), p);
    if (lever > GOVERNMENT)
        running = min(running, max(policy.most(phase, lever - GOVERNMENT) - startup, 0.0));
    return running;
}

static double custom_charge(double rate, int64_t base, const Slot& slot) {
    return base == ON_JOINT_COST && slot.body == NONE ? 0.0 : rate * service_cost(slot);
}

static double firm_cost(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    int64_t phase = policy.period[quarter];
    double total = 0.0;
    for (int64_t i = 0; i < s.regions; ++i)
        for (int64_t a = 0; a < s.areas; ++a) {
            const Slot& slot = s.at(i, a);
            double money = s.area[a].cost_per_resident / QUARTERS;
            for (int64_t u = 0; u < policy.customs; ++u)
                if (policy.counts(phase, CUSTOM + u) > 0)
                    total += custom_charge(policy.yearly(phase, a, u), policy.base[u], slot) * money;
            bool is_bound = slot.mandate != NONE && slot.bound_until > quarter;
            if (is_bound && policy.mandate_counted[slot.mandate] > 0) {
                double price = policy.mandate_price[slot.mandate];
                total += (std::isnan(price) ? p.lever_price : price) * slot.due * money;
            }
        }
    return total;
}

static double unspent(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    double left = policy.ceiling[0];
    if (left < INFINITE) {
        left -= firm_cost(s, policy, p, quarter);
        for (int64_t l = 0; l < CUSTOM; ++l) left -= payable(l, 0.0, s, policy, p, quarter);
    }
    return max(left, 0.0);
}

static void cut_offer(int64_t lever, double part, const State& s, const P& p) {
    for (int64_t i = 0; i < s.regions; ++i)
        for (int64_t a = 0; a < s.areas; ++a) {
            Slot& slot = s.at(i, a);
            double* row = s.row(i * s.areas + a);
            offer_of(slot, lever) *= part;
            double aid = laws::aided(slot.government, slot.business, p);
            row[Row::entry] = laws::entry_weight(s.region[i].stress, slot.burden, aid);
            row[Row::mediation] = slot.ngo;
            row[Row::business] = slot.business;
            row[Row::voice] = slot.community;
        }
}

static double threshold(const vector<double>& values, double part) {
    int64_t number = int64_t(values.size());
    if (number == 0 || part <= 0.0) return INFINITE;
    int64_t top = int64_t(std::ceil(part * number));
    return values[argsort(values)[max(number - top, int64_t{0})]];
}

static double body_success(const State& s, int64_t body) {
    double total = 0.0;
    for (int64_t k = 0; k < s.body[body].members; ++k)
        total += s.at(s.member(body, k), s.body[body].area).realised;
    return total / s.body[body].members;
}

static double target_bar(const State& s, int64_t target, double part) {
    vector<double> values;
    for (int64_t i = 0; i < s.regions && (target == SMALLEST || target == POOREST); ++i)
        values.push_back(target == SMALLEST ? -double(s.region[i].rank) : s.region[i].stress);
    for (int64_t b = 0; b < s.bodies && (target == NEWEST || target == BEST); ++b)
        if (s.body[b].members > 0)
            values.push_back(target == NEWEST ? double(s.body[b].began) : body_success(s, b));
    return threshold(values, part);
}

static void offer(int64_t k, const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    int64_t phase = policy.period[quarter], lever = GOVERNMENT + k;
    int64_t target = policy.target[phase * 4 + k];
    double portion = policy.part[phase * 4 + k];
    if (!policy.is_offered(lever, quarter) && !policy.is_offered(lever, quarter - 1)) return;
    double bar = target_bar(s, target, portion);
    for (int64_t i = 0; i < s.regions; ++i) {
        bool is_chosen = target == ALL || (target == LISTED &&
                                           policy.listed[(phase * 4 + k) * s.regions + i] > 0);
        if (target == SMALLEST) is_chosen = -double(s.region[i].rank) >= bar;
        if (target == POOREST) is_chosen = s.region[i].stress >= bar;
        for (int64_t a = 0; a < s.areas; ++a) {
            Slot& slot = s.at(i, a);
            bool chosen = is_chosen;
            if (target == NEWEST)
                chosen = portion > 0.0 &&
                         (slot.body == NONE || double(s.body[slot.body].began) >= bar);
            else if (target == BEST)
                chosen = slot.body != NONE && body_success(s, slot.body) >= bar;
            offer_of(slot, lever) = chosen ? policy.intensity(phase, a, lever) : 0.0;
        }
    }
    double budget = policy.most(phase, k);
    if (lever == GOVERNMENT) {
        if (quarter > 0 && budget != policy.most(policy.period[quarter - 1], k))
            share(s, lever) = 1.0;
        else if (policy.ceiling[0] < INFINITE && share(s, lever) == 0.0 && 0.0 < budget)
            share(s, lever) = unspent(s, policy, p, quarter) > 0.0 ? 1.0 : 0.0;
    } else {
        double need = running_cost(lever, s, policy.price_of(phase, lever), p);
        share(s, lever) = need <= budget ? 1.0 : budget / need;
    }
    cut_offer(lever, share(s, lever), s, p);
}

static void keep_to_ceiling(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    if (policy.ceiling[0] == INFINITE) return;
    double need = 0.0, rest = max(policy.ceiling[0] - firm_cost(s, policy, p, quarter), 0.0);
    for (int64_t l = 0; l < CUSTOM; ++l) need += payable(l, 0.0, s, policy, p, quarter);
    if (need <= rest) return;
    double part = rest / need;
    int64_t phase = policy.period[quarter];
    for (int64_t a = 0; a < s.areas; ++a) {
        Area& area = s.area[a];
        area.forum *= policy.counts(phase, FORUM) > 0 ? part : 1.0;
        area.planning *= policy.counts(phase, PLANNING) > 0 ? part : 1.0;
        area.team *= policy.counts(phase, TEAM) > 0 ? part : 1.0;
        area.information *= policy.counts(phase, INFORMATION) > 0 ? part : 1.0;
        area.monitoring *= policy.counts(phase, MONITORING) > 0 ? part : 1.0;
    }
    for (int64_t l = NGO; l < CUSTOM; ++l)
        if (policy.counts(phase, l) > 0) cut_offer(l, part, s, p);
}

static void apply_shock(const Shock& shock, const int64_t* shocked, const State& s, const P& p) {
    for (int64_t i = 0; i < s.regions; ++i) {
        Region& region = s.region[i];
        for (int64_t c = region.first; c < region.end; ++c) {
            Contact& contact = s.contact[c];
            if (shocked[i] == 1 || shocked[contact.target] == 1) {
                double start = min(contact.trust_start, 1.0 - contact.damage);
                contact.trust = laws::closer(shock.factor * contact.trust, start, shock.reset);
            }
        }
        if (shocked[i] == 1) {
            region.commitment = laws::closer(region.commitment, p.commitment_start, shock.reset);
            for (int64_t a = 0; a < s.areas; ++a)
                s.row(i * s.areas + a)[Row::commitment] = region.commitment;
        }
    }
}

static void start_quarter(const World& w, const State& s, const Strategy& policy, const P& p,
                          int64_t quarter) {
    Moment& now = *s.moment;
    now.refused = now.concluded = now.left = now.deciding = 0.0;
    now.matter_months = now.matters = 0.0;
    remember(s);
    int64_t phase = policy.period[quarter];
    bool is_new = quarter == 0 || phase != policy.period[quarter - 1];
    for (int64_t i = 0; i < s.regions && is_new; ++i)
        s.region[i].forum = policy.forum[phase * s.regions + i];
    for (int64_t a = 0; a < s.areas; ++a) {
        Area& area = s.area[a];
        area.forum = policy.intensity(phase, a, FORUM);
        area.planning = policy.intensity(phase, a, PLANNING);
        area.team = policy.intensity(phase, a, TEAM);
        area.information = policy.intensity(phase, a, INFORMATION);
        area.monitoring = policy.intensity(phase, a, MONITORING);
        area.government = policy.intensity(phase, a, GOVERNMENT);
        area.ngo = policy.intensity(phase, a, NGO);
        area.business = policy.intensity(phase, a, BUSINESS);
        area.community = policy.intensity(phase, a, COMMUNITY);
        if (is_new)
            std::copy_n(policy.effect + (phase * s.areas + a) * TERMS * 2, TERMS * 2, s.effects(a));
    }
    if (quarter == 0 || w.period[quarter] != w.period[quarter - 1]) {
        int64_t period = w.period[quarter];
        for (int64_t i = 0; i < s.regions; ++i) {
            Region& region = s.region[i];
            region.population = w.population[period * s.regions + i];
            region.stress = laws::clip(
                region.stress_start + w.stress_change[period * s.regions + i], 0.0, 1.0);
            for (int64_t a = 0; a < s.areas; ++a) {
                s.at(i, a).demand = w.demand[(period * s.regions + i) * s.areas + a];
                refresh_slot(s, p, i, a);
            }
        }
    }
    for (int64_t k = 0; k < s.shocks; ++k) {
        const Shock& shock = w.shock[k];
        int64_t since = quarter - shock.first;
        if (since >= 0 && quarter < shock.until && since % shock.every == 0)
            apply_shock(shock, w.shocked + k * s.regions, s, p);
    }
    for (int64_t k = 0; k < s.leavings; ++k)
        s.at(w.leaving[4 * k], w.leaving[4 * k + 1]).away = 0;
    for (int64_t k = 0; k < s.leavings; ++k)
        if (w.leaving[4 * k + 2] <= quarter && quarter < w.leaving[4 * k + 3])
            s.at(w.leaving[4 * k], w.leaving[4 * k + 1]).away = 1;
    for (int64_t i = 0; i < s.regions; ++i)
        if (s.region[i].entering > 0) {
            s.region[i].entering = 0;
            for (int64_t a = 0; a < s.areas; ++a) {
                Slot& slot = s.at(i, a);
                slot.startup = slot.granted = slot.cofinanced = 0.0;
            }
        }
    now.members_before = 0.0;
    for (int64_t b = 0; b < s.bodies; ++b) now.members_before += s.body[b].members;
}

static void tally_all(const State& s, const P& p, int64_t quarter) {
    for (int64_t body = 0; body < s.bodies; ++body) {
        ahead_of_body(s, body);
        if (s.body[body].members > 0) tally(s, p, body, quarter);
    }
}

static void support(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    for (int64_t k = 0; k <= COMMUNITY - GOVERNMENT; ++k) offer(k, s, policy, p, quarter);
    keep_to_ceiling(s, policy, p, quarter);
    tally_all(s, p, quarter);
}

static void fund(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    double grants = 0.0, shares = 0.0;
    for (int64_t i = 0; i < s.regions; ++i)
        for (int64_t a = 0; a < (s.region[i].entering > 0 ? s.areas : 0); ++a) {
            const Slot& slot = s.at(i, a);
            if (slot.startup > 0.0) {
                grants += slot.granted * s.area[a].cost_per_resident;
                shares += slot.cofinanced * s.area[a].cost_per_resident;
            }
        }
    double free = grants + shares > 0.0 ? unspent(s, policy, p, quarter) : INFINITE;
    int64_t phase = policy.period[quarter];
    double budget = policy.most(phase, 0);
    if (policy.counts(phase, GOVERNMENT) > 0) {
        budget = min(budget, free);
        free -= min(grants, budget);
    }
    double part = grants <= budget ? 1.0 : budget / grants;
    if (grants > 0.0) {
        double whole = grants / share(s, GOVERNMENT);
        share(s, GOVERNMENT) = whole <= budget ? 1.0 : budget / whole;
    }
    double left = policy.most(phase, 2);
    if (left < INFINITE && shares > 0.0)
        left = max(left - running_cost(BUSINESS, s, policy.price_of(phase, BUSINESS), p), 0.0);
    if (policy.counts(phase, BUSINESS) > 0) left = min(left, max(free, 0.0));
    double met = shares <= left ? 1.0 : left / shares;
    if (part < 1.0 || met < 1.0)
        for (int64_t k = 0; k < s.slots(); ++k) {
            s.slot[k].granted *= part;
            s.slot[k].cofinanced *= met;
        }
    paid(s, GOVERNMENT) = grants * part;
    paid(s, BUSINESS) = shares * met;
}

static void pay(Moment& now, int64_t payer, double money) {
    if (payer == MEMBERS_PAY)
        now.paid_members += money;
    else if (payer == CENTRE_PAYS)
        now.paid_centre += money;
    else if (payer == TIER_PAYS)
        now.paid_tier += money;
    else
        now.paid_supporter += money;
}

static double covered_part(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    if (policy.ceiling[0] == INFINITE) return 1.0;
    double left = policy.ceiling[0] - firm_cost(s, policy, p, quarter), need = 0.0;
    for (int64_t l = 0; l < CUSTOM; ++l) {
        double startup = l == GOVERNMENT || l == BUSINESS ? paid(s, l) : 0.0;
        left -= policy.counts(policy.period[quarter], l) > 0 ? startup : 0.0;
        need += payable(l, startup, s, policy, p, quarter);
    }
    left = max(left, 0.0);
    return need <= left ? 1.0 : left / need;
}

static void bill(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    Moment& now = *s.moment;
    for (int64_t k = 0; k < s.slots() && now.paid_members > 0.0; ++k) s.slot[k].programme = 0.0;
    now.paid_members = now.paid_centre = now.paid_supporter = now.paid_tier = 0.0;
    int64_t phase = policy.period[quarter];
    double covered = covered_part(s, policy, p, quarter);
    for (int64_t l = 0; l < CUSTOM; ++l) {
        int64_t payer = policy.payer[phase * CUSTOM + l];
        double price = policy.price_of(phase, l);
        double startup = l == GOVERNMENT || l == BUSINESS ? paid(s, l) : 0.0;
        double running = 0.0, part = 1.0;
        if (l != GOVERNMENT && policy.is_offered(l, quarter)) {
            running = running_cost(l, s, price, p);
            if (l > GOVERNMENT) {
                double left = max(policy.most(phase, l - GOVERNMENT) - startup, 0.0);
                part = running <= left ? 1.0 : left / running;
            }
            if (policy.counts(phase, l) > 0) part *= covered;
            running *= part;
        }
        if (payer == MEMBERS_PAY && running + startup > 0.0)
            for (int64_t i = 0; i < s.regions; ++i)
                for (int64_t a = 0; a < s.areas; ++a) {
                    Slot& slot = s.at(i, a);
                    double own = charge(l, s.region[i], slot, s.area[a], price, p) * part;
                    if (l == GOVERNMENT)
                        own += QUARTERS * slot.granted;
                    else if (l == BUSINESS)
                        own += QUARTERS * slot.cofinanced;
                    slot.programme += own / (slot.people * slot.alone);
                }
        paid(s, l) = running + startup;
        pay(now, payer, running + startup);
    }
    paid(s, CUSTOM) = 0.0;
    for (int64_t u = 0; u < policy.customs; ++u) {
        int64_t payer = policy.bearer[phase * policy.customs + u];
        double total = 0.0;
        for (int64_t i = 0; i < s.regions; ++i)
            for (int64_t a = 0; a < s.areas; ++a) {
                Slot& slot = s.at(i, a);
                double yearly =
                    custom_charge(policy.yearly(phase, a, u), policy.base[u], slot);
                total += yearly * s.area[a].cost_per_resident / QUARTERS;
                if (payer == MEMBERS_PAY) slot.programme += yearly / (slot.people * slot.alone);
            }
        paid(s, CUSTOM) += total;
        pay(now, payer, total);
    }
    paid(s, MANDATE) = 0.0;
    for (int64_t i = 0; i < (s.mandates > 0 ? s.regions : 0); ++i)
        for (int64_t a = 0; a < s.areas; ++a) {
            Slot& slot = s.at(i, a);
            if (slot.mandate == NONE || slot.bound_until <= quarter) continue;
            double price = policy.mandate_price[slot.mandate];
            double yearly = (std::isnan(price) ? p.lever_price : price) * slot.due;
            double money = yearly * s.area[a].cost_per_resident / QUARTERS;
            int64_t payer = policy.order(slot.mandate)[3];
            if (payer == MEMBERS_PAY) slot.programme += yearly / (slot.people * slot.alone);
            paid(s, MANDATE) += money;
            pay(now, payer, money);
        }
}

// Choices: decision_rules.py -----------------------------------------------------------------------

static int64_t choose(int64_t rule, const Option* option, int64_t number, double success,
                      double draw, const Rule& p) {
    int64_t taken = 0;
    if (rule == 1) {
        double highest = -INFINITE;
        for (int64_t k = 0; k < number; ++k) {
            double worth = option[k].gain / p.temperature - log(-log(option[k].draw));
            if (worth > highest) {
                taken = k;
                highest = worth;
            }
        }
    } else if (rule == 2) {
        double first = 2.0;
        for (int64_t k = 1; k < number; ++k)
            if (option[k].gain > p.threshold && option[k].draw < first) {
                taken = k;
                first = option[k].draw;
            }
    } else if (rule == 3) {
        double first = 2.0;
        for (int64_t k = 1; k < number; ++k)
            if (option[k].draw < first) {
                taken = k;
                first = option[k].draw;
            }
        double follow = laws::logistic(p.intensity * (option[taken].success - success));
        taken = draw < follow ? taken : 0;
    } else {
        for (int64_t k = 1; k < number; ++k)
            if (option[k].gain > option[taken].gain) taken = k;
    }
    return taken;
}

// The stages of a quarter: stages.py ---------------------------------------------------------------

static double attention(const Region& region, const Slot& slot, const double* effects,
                        double peers, double forum, const P& p) {
    double odds = laws::act<Term::attention_odds>(
        laws::attention_odds(slot.alone, region.stress, peers, p), effects);
    return laws::act<Term::attention>(laws::attention(odds, slot.government, forum, p), effects);
}

static bool acts_on_attention(const double* effects) {
    constexpr int odds = 2 * Term::attention_odds, chance = 2 * Term::attention;
    return effects[odds] != 1.0 || effects[odds + 1] != 0.0 || effects[chance] != 1.0 ||
           effects[chance + 1] != 0.0;
}

static bool is_beyond(double draw, const Region& region, const Slot& slot, double forum,
                      const P& p) {
    double x = -laws::attention_odds(slot.alone, region.stress, 1.0, p);
    if (!(0.0 < x && x < STEEPEST)) return false;
    double least = 2.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0))));
    double easier = (1.0 - p.grant_strength * slot.government) * (1.0 - p.forum_strength * forum);
    return draw * easier * least > 1.000001;
}

static bool is_attentive(const State& s, const Region& region, const Slot& slot, int64_t a,
                         double draw, const P& p) {
    double forum = region.forum >= 0 ? s.area[a].forum : 0.0;
    if (!acts_on_attention(s.effects(a)) && is_beyond(draw, region, slot, forum, p)) return false;
    if (draw > attention(region, slot, s.effects(a), 1.0, forum, p)) return false;
    double sharing = 0.0;
    for (int64_t c = region.first; c < region.end; ++c)
        sharing += s.at(s.contact[c].target, a).body != NONE;
    double peers = sharing / double(region.end - region.first);
    return draw <= attention(region, slot, s.effects(a), peers, forum, p);
}

static bool notices(const State& s, const Region& region, const Region& other,
                    const Contact& contact, int64_t a, const P& p, const Key& key) {
    double forum = s.area[a].forum * same_forum(region, other);
    double tier = region.tier == other.tier ? 1.0 : 0.0;
    double chance = laws::act<Term::notice>(
        laws::noticing(contact.near, contact.trust, forum, tier, p), s.effects(a));
    return rng::uniform_by_area(key, rng::NOTICE, region.id, other.id, a) < chance;
}

static void judge(const State& s, int64_t i, int64_t a, Option& option, const P& p,
                  const Key& key) {
    const Region& region = s.region[i];
    const Slot& slot = s.at(i, a);
    const Contact& contact = s.contact[option.contact];
    int64_t first = s.party(i, a), second = option.party;
    Judgement found = judge_union(s, p, i, a, first, second, 0.0, key.quarter);
    const double* row = s.last();
    double omega = slot.omega + cross_omega(s, region, a, second);
    double own = own_change(s, i, a, p, found.view, omega, row[Row::residents],
                            found.sides.first_enters);
    double goodwill = current_goodwill(region, slot, key.quarter);
    double gain = laws::with_goodwill(own, found.whole, row[Row::members] - 1.0, goodwill);
    const Region& other = s.region[contact.target];
    option.gain = gain + misjudgement(s, p, i, a, option.contact, 0.0);
    option.trust = contact.trust;
    option.success = other.success;
    option.members = row[Row::members];
    option.people = row[Row::residents];
    option.culture = found.view.apart.culture;
    option.form = found.sides.form;
    option.draw = rng::uniform_by_area(key, rng::CHOICE, region.id, other.id, a);
}

static int64_t list_options(const State& s, int64_t i, int64_t a, double draw, const P& p,
                            const Key& key) {
    const Slot& slot = s.at(i, a);
    const Region& region = s.region[i];
    if (slot.contact != NONE || region.end == region.first || slot.role == BUYER) return 0;
    if (!is_attentive(s, region, slot, a, draw, p)) return 0;
    int64_t own = s.party(i, a), number = 1;
    double room = s.moment->cap - s.row(own)[Row::members];
    for (int64_t c = region.first; c < region.end; ++c) {
        const Contact& contact = s.contact[c];
        int64_t party = s.party(contact.target, a);
        if (party == own || s.row(party)[Row::members] > room) continue;
        if (!may_unite(s, i, contact.target, a, own, party)) continue;
        if (!notices(s, region, s.region[contact.target], contact, a, p, key)) continue;
        int64_t k = 1;
        while (k < number && s.option[k].party != party) ++k;
        if (k == number) {
            s.option[k].party = party;
            s.option[k].contact = c;
            number += 1;
        } else if (contact.trust > s.contact[s.option[k].contact].trust) {
            s.option[k].contact = c;
        }
    }
    Option& keep = s.option[0];
    keep.gain = keep.culture = 0.0;
    keep.trust = 1.0;
    keep.members = s.row(own)[Row::members];
    keep.people = s.row(own)[Row::residents];
    keep.contact = keep.form = NONE;
    keep.party = own;
    keep.draw = rng::uniform_by_area(key, rng::STATUS_QUO, region.id, region.id, a);
    keep.success = region.success;
    for (int64_t k = 1; k < number; ++k) judge(s, i, a, s.option[k], p, key);
    return number;
}

static void identify(const State& s, int64_t i, const P& p, const Rule& rule, const Key& key) {
    int64_t id = s.region[i].id;
    rng::Words four{};
    for (int64_t a = 0; a < s.areas; ++a) {
        if (a % 4 == 0) four = rng::words(key, rng::ATTENTION, a / 4, id, id);
        int64_t number = list_options(s, i, a, rng::uniform_of(four, a), p, key);
        if (number <= 1) continue;
        double draw = rng::uniform_by_area(key, rng::CHOICE, id, id, a);
        int64_t taken =
            choose(s.moment->decision, s.option, number, s.region[i].success, draw, rule);
        if (taken > 0) {
            Slot& slot = s.at(i, a);
            slot.contact = s.option[taken].contact;
            slot.opened = key.quarter;
            slot.order = -1.0;
        }
    }
}

static bool acts_on_trust(const double* effects) {
    return effects[2 * Term::trust] != 1.0 || effects[2 * Term::trust + 1] != 0.0;
}

static bool builds_trust(const State& s) {
    for (int64_t a = 0; a < s.areas; ++a) {
        const Area& area = s.area[a];
        if (area.forum > 0.0 || area.team > 0.0 || area.ngo > 0.0) return true;
        if (acts_on_trust(s.effects(a))) return true;
    }
    return false;
}

static void communicate(const State& s, int64_t i, const P& p) {
    double forum = 0.0, mediation = 0.0;
    bool team = false;
    for (int64_t a = 0; a < s.areas; ++a) {
        forum += s.area[a].forum / s.areas;
        mediation += s.at(i, a).ngo / s.areas;
        team = team || s.area[a].team > 0.0 || acts_on_trust(s.effects(a));
    }
    if (forum == 0.0 && mediation == 0.0 && !team) return;
    for (int64_t c = s.region[i].first; c < s.region[i].end; ++c) {
        Contact& contact = s.contact[c];
        int64_t j = contact.target;
        double shared = 0.0;
        bool together = false;
        for (int64_t a = 0; a < s.areas; ++a)
            if (are_partners(s.at(i, a), s.at(j, a))) {
                shared = max(shared, s.area[a].team);
                together = true;
            }
        double meeting = forum * same_forum(s.region[i], s.region[j]);
        double built = laws::trust_built(meeting, shared, mediation, p);
        if (together) {
            double most = 0.0;
            for (int64_t a = 0; a < s.areas; ++a)
                if (are_partners(s.at(i, a), s.at(j, a)))
                    most = max(most, laws::act<Term::trust>(min(built, 1.0), s.effects(a)));
            built = most;
        }
        double reach = laws::reach(contact.trust, contact.damage);
        contact.trust = laws::closer(contact.trust, reach, min(built, 1.0));
    }
}

static double decision_rate(const Area& area, const double* effects, const P& p, const double* row,
                            const Differences& apart, double trust, double partners,
                            int64_t form) {
    double n = row[Row::members];
    double rate = laws::decision_rate(trust, row[Row::commitment] / n, apart.culture,
                                      apart.interests, partners, n, form, area.planning,
                                      area.team, row[Row::mediation] / n, p);
    return laws::act<Term::conclusion>(rate, effects);
}

static void advance(const State& s, int64_t i, int64_t a, const P& p, const Key& key) {
    Region& region = s.region[i];
    Slot& slot = s.at(i, a);
    const Contact& contact = s.contact[slot.contact];
    int64_t j = contact.target, first = s.party(i, a), second = s.party(j, a);
    double members = s.row(first)[Row::members] + s.row(second)[Row::members];
    if (members > s.moment->cap || !may_unite(s, i, j, a, first, second)) {
        slot.contact = NONE;
        return;
    }
    Sides sides = assign_sides(s, p, first, second, a, key.quarter);
    int64_t form = sides.host == NONE ? BOARD : sides.form;
    add_rows(s, first, second);
    const double* row = s.last();
    Differences apart = differences(row, s.hub_row(sides.provider, a), form, s.width);
    double trust = 0.5 * (contact.trust + s.contact[contact.reverse].trust);
    double partners = partners_before(s, i, j, a);
    double rate =
        decision_rate(s.area[a], s.effects(a), p, row, apart, trust, partners, form);
    if (rng::uniform_by_area(key, rng::CONCLUSION, region.id, region.id, a) <
        laws::conclusion(rate)) {
        slot.order = rng::uniform_by_area(key, rng::ORDER, region.id, region.id, a);
        region.moving = 1;
    }
}

static void plan(const State& s, int64_t i, const P& p, const Key& key) {
    Region& region = s.region[i];
    int64_t block = NONE;
    rng::Words four{};
    region.moving = 0;
    for (int64_t a = 0; a < s.areas; ++a) {
        Slot& slot = s.at(i, a);
        bool is_free =
            slot.body != NONE && slot.bound_until <= key.quarter && slot.role != PROVIDER;
        if (is_free && key.quarter - slot.entered >= QUARTERS * FIRST_TERM) {
            double chance = laws::leaving(slot.load, slot.body_trust, region.commitment, p);
            chance = laws::act<Term::leaving>(chance, s.effects(a));
            if (block != a / 4) {
                block = a / 4;
                four = rng::words(key, rng::LEAVING, block, region.id, region.id);
            }
            slot.leaves = rng::uniform_of(four, a) < chance;
            region.moving = max(region.moving, slot.leaves);
        }
        if (slot.away > 0 && slot.body != NONE && slot.bound_until <= key.quarter)
            slot.leaves = region.moving = 1;
        if (slot.contact != NONE && slot.opened < key.quarter) advance(s, i, a, p, key);
    }
}

static double paid_to_enter(const Slot& slot) {
    double own = slot.startup - slot.granted - slot.cofinanced;
    return -QUARTERS * own / (slot.people * slot.alone);
}

static void serve_alone(Slot& slot) {
    if (slot.quality != slot.reference) slot.quality = slot.reference;
    if (slot.due != slot.people * slot.alone) slot.due = slot.people * slot.alone;
    if (slot.cleared == 0 || slot.startup > 0.0) {
        slot.cleared = 1;
        slot.cost = 1.0;
        slot.realised = slot.load = slot.body_trust = 0.0;
        slot.scale = slot.coordination = slot.distance = slot.newness = 0.0;
        slot.spill = slot.conduct = slot.pooled = slot.self_rule = slot.fit = 0.0;
        slot.entry = paid_to_enter(slot);
        if (slot.entry != 0.0) slot.cleared = 0;
    }
}

static void coordinate(const State& s, int64_t i, const P& p, const Key& key) {
    const Region& region = s.region[i];
    int64_t block = NONE;
    rng::Words honour{}, observation{};
    for (int64_t a = 0; a < s.areas; ++a) {
        Slot& slot = s.at(i, a);
        if (slot.body == NONE) {
            serve_alone(slot);
            continue;
        }
        if (block != a / 4) {
            block = a / 4;
            honour = rng::words(key, rng::HONOUR, block, region.id, region.id);
            observation = rng::words(key, rng::OBSERVATION, block, region.id, region.id);
        }
        const double *row = s.row(s.slots() + slot.body), *effects = s.effects(a);
        const Area& area = s.area[a];
        double seen = laws::act<Term::observation>(
            laws::observed(area.monitoring, area.information, p), effects);
        double ties = laws::ties(row[Row::members], s.body[slot.body].form);
        double odds = laws::conduct_odds(current_goodwill(region, slot, key.quarter),
                                         region.commitment,
                                         laws::mean_trust(row[Row::trust], ties), region.stress,
                                         region.population / row[Row::residents], seen, p);
        double chance =
            laws::conduct(laws::act<Term::conduct_odds>(odds, effects), slot.community, p);
        chance = laws::act<Term::conduct>(chance, effects);
        slot.kept = rng::uniform_of(honour, a) < chance;
        slot.seen = rng::uniform_of(observation, a) < seen;
    }
}

static void produce_body(const State& s, const P& p, int64_t body, int64_t quarter) {
    const Body& one = s.body[body];
    int64_t a = one.area, size = one.members;
    const double *row = s.row(s.slots() + body), *effects = s.effects(a);
    const Area& area = s.area[a];
    double short_of = 0.0;
    for (int64_t k = 0; k < size; ++k) {
        const Slot& slot = s.at(s.member(body, k), a);
        short_of += (1.0 - slot.kept) * slot.people;
    }
    double penalty = laws::transition(double(quarter - one.began) / QUARTERS, p);
    double forum = body_forum_share(s, body);
    short_of /= row[Row::people];
    Outlook view = outlook(area, effects, *s.moment, p, row, s.hub_row(one.provider, a), one.form,
                           penalty, forum, short_of, 1.0, row[Row::members], s.width);
    double rate = decision_rate(area, effects, p, row, view.apart, view.trust, view.again, one.form);
    s.moment->matter_months += laws::matter_time(rate);
    s.moment->matters += 1.0;
    double missing = 0.0;
    for (int64_t k = 0; k < size; ++k) {
        const Slot& slot = s.at(s.member(body, k), a);
        missing += laws::kept_back(slot.kept, slot.seen) * view.price * slot.weight;
    }
    double spread = missing / (view.price * row[Row::weight]);
    for (int64_t k = 0; k < size; ++k) {
        int64_t i = s.member(body, k);
        Slot& slot = s.at(i, a);
        const Region& region = s.region[i];
        double shifted =
            view.price * slot.burden * (spread - laws::kept_back(slot.kept, slot.seen));
        slot.due = view.price * slot.weight;
        double base = row[Row::people] * view.unit / row[Row::weight] * slot.burden;
        slot.scale = 1.0 - base;
        slot.coordination = -base * view.coordination;
        slot.distance = -base * view.haul;
        slot.newness = -base * view.penalty;
        slot.conduct = -shifted;
        slot.spill = area.spillover * slot.omega / slot.alone;
        slot.cost = view.price * slot.burden + shifted - slot.spill;
        slot.quality = view.quality;
        slot.pooled = laws::quality_worth(view.quality - slot.reference, p);
        double lost =
            laws::autonomy_loss(region.autonomy, region.population / row[Row::residents], p);
        double loss = misfit(slot, area, effects, p, view, s.areas);
        slot.self_rule = -lost;
        slot.fit = -loss;
        slot.realised =
            laws::net_benefit(slot.cost, view.quality - slot.reference, lost, loss, p);
        slot.load = view.load;
        slot.body_trust = view.trust;
        slot.entry = paid_to_enter(slot);
        slot.cleared = 0;
    }
}

static void learn_trust(const State& s, int64_t i, Contact& contact, bool shares, const P& p) {
    bool observed = false;
    for (int64_t a = 0; a < (shares ? s.areas : 0); ++a) {
        const Slot& other = s.at(contact.target, a);
        if (!are_partners(s.at(i, a), other) || other.seen <= 0.0) continue;
        observed = true;
        if (other.kept > 0.0) {
            double reach = laws::reach(contact.trust, contact.damage);
            contact.trust = laws::closer(contact.trust, reach, laws::faster(p.learning, TRUST_GAIN));
            contact.damage = laws::closer(contact.damage, 0.0, MENDING);
        } else {
            contact.trust = laws::closer(contact.trust, 0.0, laws::faster(p.learning, TRUST_LOSS));
            if (s.moment->trust == LASTING)
                contact.damage = laws::closer(contact.damage, 1.0, DAMAGE);
        }
    }
    if (!observed) {
        double start = min(contact.trust_start, 1.0 - contact.damage);
        contact.trust = laws::closer(contact.trust, start, DRIFT);
    }
}

static void evaluate(const State& s, int64_t i, const P& p, const Key& key) {
    Region& region = s.region[i];
    double costs = 0.0, joint = 0.0, bound = 0.0, total = 0.0, seen = 0.0, kept = 0.0;
    for (int64_t a = 0; a < s.areas; ++a) {
        Slot& slot = s.at(i, a);
        double cost = slot.people * slot.alone * s.area[a].cost_per_resident;
        costs += cost;
        if (slot.body == NONE) continue;
        joint += cost;
        total += cost * slot.realised;
        if (slot.bound_until > key.quarter) bound += cost;
        seen += slot.seen;
        kept += slot.seen * slot.kept;
        if (slot.role != PROVIDER) {
            const double* row = s.row(s.slots() + slot.body);
            int64_t provider = s.body[slot.body].provider;
            double goal = row[Row::practice] / row[Row::members];
            if (provider != NONE) goal = s.row(provider * s.areas + a)[Row::practice];
            slot.practice = laws::closer(slot.practice, goal, p.learning);
        }
    }
    region.success = total / costs;
    for (int64_t c = region.first; c < region.end; ++c)
        learn_trust(s, i, s.contact[c], joint > 0.0, p);
    if (seen > 0.0) region.reputation = laws::closer(region.reputation, kept / seen, p.learning);
    if (joint > 0.0) {
        double realised = total / joint;
        double goal = laws::commitment_goal(realised, region.aspiration);
        goal = laws::bound_goal(goal, bound, joint);
        region.commitment = laws::closer(region.commitment, goal, p.learning);
        double part = laws::faster(p.learning, ASPIRATION_LEARNING);
        region.aspiration = laws::closer(region.aspiration, realised, part);
    } else {
        region.commitment = laws::closer(region.commitment, p.commitment_start, DRIFT);
    }
    if (joint > 0.0 || s.row(i * s.areas)[Row::commitment] != region.commitment)
        for (int64_t a = 0; a < s.areas; ++a) {
            const Slot& slot = s.at(i, a);
            double* row = s.row(i * s.areas + a);
            row[Row::practice] = slot.practice;
            row[Row::practice_squares] = slot.practice * slot.practice;
            row[Row::reputation] = region.reputation;
            row[Row::commitment] = region.commitment;
        }
}

// Forming agreements: agreements.py ----------------------------------------------------------------

static void leave_body(const State& s, const P& p, int64_t i, int64_t a, int64_t quarter) {
    int64_t body = s.at(i, a).body;
    bool ends = s.body[body].members == 2 || s.body[body].provider == i;
    s.moment->left += ends ? s.body[body].members : 1;
    withdraw(s, body, i);
    if (s.body[body].members > 0) tally(s, p, body, quarter);
}

static void pay_startup(const State& s, const P& p, int64_t i, int64_t a, double price) {
    Slot& slot = s.at(i, a);
    double due = laws::startup(s.region[i].stress, price * slot.weight, p);
    s.region[i].entering = 1;
    slot.startup += due;
    slot.granted += laws::granted(due, slot.government, slot.business, p);
    slot.cofinanced += laws::cofinanced(due, slot.government, slot.business, p);
}

static void record_expectation(const State& s, int64_t i, int64_t a, double seen, bool is_new) {
    s.at(i, a).expected = seen;
    if (!is_new) return;
    double before = 0.0, now = 0.0;
    for (int64_t b = 0; b < s.areas; ++b) {
        const Slot& slot = s.at(i, b);
        double cost = slot.people * slot.alone * s.area[b].cost_per_resident;
        if (b == a)
            now = cost;
        else if (slot.body != NONE)
            before += cost;
    }
    Region& region = s.region[i];
    region.aspiration = (region.aspiration * before + seen * now) / (before + now);
}

static void impose(const State& s, const int64_t* order, int64_t number, const P& p,
                   int64_t quarter) {
    int64_t a = order[0], host = NONE, listed = 0;
    const int64_t* group = order + 4;
    double most = 0.0;
    for (int64_t k = 0; k < CAP && group[k] != NONE; ++k) {
        listed += 1;
        int64_t body = s.at(group[k], a).body;
        if (body == NONE || body == host) continue;
        int64_t within = 0;
        for (int64_t m = 0; m < s.body[body].members; ++m)
            for (int64_t n = 0; n < CAP; ++n) within += s.member(body, m) == group[n];
        double people = s.row(s.slots() + body)[Row::residents];
        if (within == s.body[body].members && people > most) {
            host = body;
            most = people;
        }
    }
    if (listed < 2) return;
    for (int64_t k = 0; k < listed; ++k) {
        int64_t body = s.at(group[k], a).body;
        if (body != NONE && body != host) leave_body(s, p, group[k], a, quarter);
    }
    if (host == NONE) {
        int64_t form = s.area[a].form, provider = NONE;
        if (form == CHOICE) {
            form = BOARD;
        } else if (form == CONTRACT) {
            provider = group[0];
            for (int64_t k = 1; k < listed; ++k) provider = choose_provider(s, provider, group[k], a);
        }
        host = open_body(s, group[0], a, form, provider, quarter);
    }
    bool entering[CAP] = {};
    for (int64_t k = 0; k < listed; ++k)
        if (s.at(group[k], a).body != host) {
            enter(s, host, group[k], quarter);
            s.at(group[k], a).contact = NONE;
            entering[k] = true;
        }
    double price = tally(s, p, host, quarter).price;
    for (int64_t k = 0; k < listed; ++k) {
        Slot& slot = s.at(group[k], a);
        slot.bound_until = order[2];
        slot.mandate = number;
        if (entering[k]) {
            pay_startup(s, p, group[k], a, price);
            record_expectation(s, group[k], a, slot.judged, true);
        }
    }
}

static double further_spill(const State& s, int64_t opener, int64_t a, int64_t first,
                            int64_t second) {
    int64_t split = int64_t(s.row(first)[Row::members]);
    int64_t number = split + int64_t(s.row(second)[Row::members]);
    double total = 0.0;
    for (int64_t k = 0; k < number; ++k) {
        int64_t i = s.union_member(first, second, split, k), other = k < split ? second : first;
        for (int64_t c = s.region[i].first; c < s.region[i].end; ++c) {
            const Contact& contact = s.contact[c];
            if (opener != i && opener != contact.target && s.party(contact.target, a) == other)
                total += contact.spill / s.at(i, a).alone;
        }
    }
    return total;
}

static bool vote(const State& s, const P& p, int64_t opener, int64_t a, int64_t party,
                 int64_t other, int64_t contact, bool enters, const Outlook& view, double whole,
                 double* ballot, int64_t quarter) {
    double votes = 0.0, people = 0.0;
    const double* row = s.last();
    int64_t number = int64_t(s.row(party)[Row::members]);
    for (int64_t k = 0; k < number; ++k) {
        int64_t i = s.party_member(party, k);
        const Region& region = s.region[i];
        const Slot& slot = s.at(i, a);
        double error = 0.0;
        if (i == opener || s.body_of(party) == NONE)
            error = misjudgement(s, p, i, a, contact, s.area[a].planning);
        double omega = slot.omega + cross_omega(s, region, a, other);
        double own = own_change(s, i, a, p, view, omega, row[Row::residents], enters);
        double goodwill = current_goodwill(region, slot, quarter);
        double change = laws::with_goodwill(own, whole, row[Row::members] - 1.0, goodwill) + error;
        ballot[k] = benefit(s, i, a, p, view, omega, row[Row::residents]) + error;
        if (slot.role == BUYER) continue;
        people += region.population;
        if (change > 0.0) votes += region.population;
    }
    return laws::consents(votes, people, s.moment->consent);
}

static void carry_out(const State& s, const P& p, int64_t a, int64_t first, int64_t second,
                      const Sides& sides, const double* ballot, int64_t quarter) {
    int64_t one = s.body_of(first), two = s.body_of(second);
    int64_t split = int64_t(s.row(first)[Row::members]);
    int64_t number = split + int64_t(s.row(second)[Row::members]);
    int64_t joining[CAP];
    bool is_new[CAP];
    for (int64_t k = 0; k < number; ++k) {
        joining[k] = s.union_member(first, second, split, k);
        is_new[k] = (k < split ? one : two) == NONE;
    }
    int64_t host = sides.host;
    if (host == NONE) host = open_body(s, joining[0], a, sides.form, sides.provider, quarter);
    for (int64_t k = 0; k < number; ++k)
        if (is_new[k]) enter(s, host, joining[k], quarter);
    int64_t guest = host == one ? two : one;
    if (guest != NONE) move_members(s, guest, host, quarter);
    double price = tally(s, p, host, quarter).price;
    for (int64_t k = 0; k < number; ++k) {
        if (k < split ? sides.first_enters : sides.second_enters)
            pay_startup(s, p, joining[k], a, price);
        record_expectation(s, joining[k], a, ballot[k], is_new[k]);
    }
}

static void decide(const State& s, const P& p, int64_t i, int64_t a, int64_t quarter) {
    Slot& slot = s.at(i, a);
    Moment& now = *s.moment;
    int64_t contact = slot.contact, opened = slot.opened;
    slot.contact = NONE;
    int64_t j = s.contact[contact].target, first = s.party(i, a), second = s.party(j, a);
    if (s.row(first)[Row::members] + s.row(second)[Row::members] > now.cap) return;
    if (!may_unite(s, i, j, a, first, second)) return;
    Judgement found = judge_union(s, p, i, a, first, second, s.area[a].planning, quarter);
    const Sides& sides = found.sides;
    double whole = found.whole + s.area[a].spillover * further_spill(s, i, a, first, second);
    int64_t split = int64_t(s.row(first)[Row::members]);
    double ballot[CAP];
    bool agreed = vote(s, p, i, a, first, second, contact, sides.first_enters, found.view, whole,
                       ballot, quarter);
    bool asked = vote(s, p, i, a, second, first, s.contact[contact].reverse, sides.second_enters,
                      found.view, whole, ballot + split, quarter);
    if (!agreed || (!asked && now.consent != OPEN)) {
        now.refused += 1;
        return;
    }
    now.concluded += 1;
    now.deciding += quarter - opened;
    carry_out(s, p, a, first, second, sides, ballot, quarter);
}

static void form_agreements(const State& s, const Strategy& policy, const P& p, int64_t quarter) {
    for (int64_t i = 0; i < s.regions; ++i)
        for (int64_t a = 0; a < (s.region[i].moving > 0 ? s.areas : 0); ++a) {
            Slot& slot = s.at(i, a);
            if (slot.leaves > 0 && slot.body != NONE) leave_body(s, p, i, a, quarter);
            slot.leaves = 0;
        }
    for (int64_t g = 0; g < s.mandates; ++g)
        if (policy.order(g)[1] == quarter) impose(s, policy.order(g), g, p, quarter);
    vector<int64_t> queue;
    vector<double> orders;
    for (int64_t i = 0; i < s.regions; ++i)
        for (int64_t a = 0; a < (s.region[i].moving > 0 ? s.areas : 0); ++a)
            if (s.at(i, a).order >= 0.0) {
                queue.push_back(i * s.areas + a);
                orders.push_back(s.at(i, a).order);
            }
    vector<int64_t> sorted;
    for (int64_t k : argsort(orders)) sorted.push_back(queue[k]);
    for (size_t k = 0; k < sorted.size(); ++k) {
        ahead_of_negotiation(s, sorted.data(), sorted.size(), k);
        int64_t i = sorted[k] / s.areas, a = sorted[k] % s.areas;
        if (s.at(i, a).contact != NONE) decide(s, p, i, a, quarter);
        s.at(i, a).order = -1.0;
    }
    fund(s, policy, p, quarter);
}

// The first state: initialisation.py ---------------------------------------------------------------

static double draw_trait(double given, double mean, double concentration, int64_t place,
                         int64_t code, const Key& key) {
    if (!std::isnan(given)) return given;
    double high = rng::gamma(key, rng::PREFERENCES, code, place, mean * concentration);
    double low = rng::gamma(key, rng::PREFERENCES, code, place + 1, (1.0 - mean) * concentration);
    return high + low > 0.0 ? high / (high + low) : mean;
}

static void draw_region(const World& w, const State& s, const P& p, int64_t i, const Key& key) {
    Region& region = s.region[i];
    int64_t code = region.id, areas = s.areas;
    region.population = w.population[w.period[0] * s.regions + i];
    double total = 0.0;
    for (int64_t block = 0; block < (areas + 3) / 4; ++block) {
        rng::Normals spread = rng::normals(rng::words(key, rng::CAPACITY, block, code, code));
        rng::Normals practice = rng::normals(rng::words(key, rng::PRACTICE, block, code, code));
        for (int64_t k = 0; k < min(int64_t{4}, areas - 4 * block); ++k) {
            int64_t a = 4 * block + k;
            Slot& slot = s.at(i, a);
            double capacity = w.capacity[i * areas + a];
            if (std::isnan(capacity))
                capacity = laws::initial_capacity(region.population, spread.at[k], p);
            slot.capacity = laws::clip(capacity, 0.0, 1.0);
            slot.practice = practice.at[k];
            double interest = w.interest[i * areas + a];
            if (std::isnan(interest))
                interest = rng::gamma(key, rng::INTERESTS, code, a, p.interest_concentration);
            slot.interest = interest;
            total += interest;
            slot.demand = w.demand[(w.period[0] * s.regions + i) * areas + a];
            slot.body = slot.contact = slot.before = slot.mandate = NONE;
            slot.entered = slot.bound_until = slot.leaves = slot.listed = 0;
            slot.role = slot.role_before = slot.away = 0;
            slot.opened = -1;
            slot.order = -1.0;
            slot.government = slot.ngo = slot.business = slot.community = 0.0;
            slot.omega = slot.judged = slot.expected = slot.realised = 0.0;
            slot.kept = slot.seen = slot.load = slot.body_trust = 0.0;
            slot.startup = slot.granted = slot.cofinanced = slot.programme = 0.0;
            slot.cost = 1.0;
            slot.cleared = 0;
        }
    }
    for (int64_t a = 0; a < areas; ++a) {
        Slot& slot = s.at(i, a);
        slot.interest = total > 0.0 ? slot.interest / total : 1.0 / areas;
    }
    rng::Normals own = rng::normals(rng::words(key, rng::CULTURE, 0, code, code));
    rng::Normals tier =
        rng::normals(rng::words(key, rng::TIER, 0, region.tier_id, region.tier_id));
    for (int64_t a = 0; a < areas; ++a) {
        double* row = s.row(i * areas + a);
        for (int64_t d = 0; d < DIMENSIONS; ++d) {
            double given = w.culture[i * DIMENSIONS + d];
            row[CULTURE + d] = std::isnan(given)
                                   ? laws::initial_culture(tier.at[d], own.at[d], p)
                                   : p.culture_spread * given;
        }
        for (int64_t b = 0; b < areas; ++b) row[INTERESTS + b] = s.at(i, b).interest;
    }
    region.stress_start = draw_trait(w.stress[i], p.stress_mean, STRESS_CONCENTRATION, 4, code, key);
    region.stress = laws::clip(
        region.stress_start + w.stress_change[w.period[0] * s.regions + i], 0.0, 1.0);
    region.goodwill =
        draw_trait(w.goodwill[i], p.goodwill_mean, GOODWILL_CONCENTRATION, 0, code, key);
    region.autonomy =
        draw_trait(w.autonomy[i], p.autonomy_mean, AUTONOMY_CONCENTRATION, 2, code, key);
    region.commitment = p.commitment_start;
    region.reputation = p.reputation_start;
    region.aspiration = region.success = 0.0;
    region.moving = region.entering = 0;
}

static void place_body(const State& s, const int64_t* given, int64_t number, const P& p) {
    int64_t a = given[0], began = given[2], bound = given[3], provider = given[4];
    const int64_t* members = given + 5;
    int64_t body = open_body(s, members[0], a, given[1], provider, began);
    s.moment->listed += 1.0;
    s.moment->listed_kept += 1.0;
    for (int64_t m = 0; m < CAP; ++m)
        if (members[m] != NONE) {
            enter(s, body, members[m], began);
            s.at(members[m], a).bound_until = bound;
            s.at(members[m], a).listed = number;
        }
    double years = double(max(-began, int64_t{0})) / QUARTERS, goal = 0.0;
    int64_t size = s.body[body].members;
    for (int64_t k = 0; k < size; ++k) goal += s.at(s.member(body, k), a).practice / size;
    if (provider != NONE) goal = s.at(provider, a).practice;
    for (int64_t k = 0; k < size; ++k) {
        int64_t i = s.member(body, k);
        Slot& slot = s.at(i, a);
        double* row = s.row(i * s.areas + a);
        if (i != provider)
            slot.practice = laws::closer(slot.practice, goal, laws::settled_practice(years, p));
        row[Row::practice] = slot.practice;
        row[Row::practice_squares] = slot.practice * slot.practice;
        for (int64_t c = s.region[i].first; c < s.region[i].end; ++c) {
            Contact& contact = s.contact[c];
            if (are_partners(slot, s.at(contact.target, a)))
                contact.trust =
                    max(contact.trust, laws::settled_trust(contact.trust_start, years, p));
        }
    }
}

static void initialise(const World& w, const State& s, const Strategy& policy, const P& p,
                       const Key& key) {
    Moment& now = *s.moment;
    now = w.setting[0];
    now.seed = key.seed;
    now.traits = key.run;
    now.changed = 1;
    now.founding_penalty = laws::mean_transition(p);
    for (int64_t k = 0; k < CUSTOM + 2; ++k) {
        paid(s, k) = 0.0;
        share(s, k) = 1.0;
    }
    for (int64_t b = 0; b < s.bodies; ++b) s.body[b].members = 0;
    for (int64_t a = 0; a < s.areas; ++a) {
        s.area[a] = w.area[a];
        for (int64_t t = 0; t < TERMS; ++t) {
            s.effects(a)[2 * t] = 1.0;
            s.effects(a)[2 * t + 1] = 0.0;
        }
    }
    std::copy_n(w.contact, s.contacts, s.contact);
    for (int64_t i = 0; i < s.regions; ++i) {
        s.region[i] = w.region[i];
        s.region[i].forum = policy.forum[policy.period[0] * s.regions + i];
        draw_region(w, s, p, i, key);
    }
    for (int64_t k = 0; k < s.slots(); ++k) {
        double *row = s.row(k), culture = 0.0, interests = 0.0;
        for (int64_t d = CULTURE; d < INTERESTS; ++d) culture += row[d] * row[d];
        for (int64_t f = INTERESTS; f < s.width; ++f) interests += row[f] * row[f];
        row[Row::culture_squares] = culture;
        row[Row::interest_squares] = interests;
    }
    for (int64_t i = 0; i < s.regions; ++i) {
        const Region& region = s.region[i];
        for (int64_t c = region.first; c < region.end; ++c) {
            Contact& contact = s.contact[c];
            int64_t j = contact.target;
            const double *one = s.row(i * s.areas), *two = s.row(j * s.areas);
            double squares = 0.0;
            for (int64_t d = CULTURE; d < INTERESTS; ++d)
                squares += (one[d] - two[d]) * (one[d] - two[d]);
            double draw =
                rng::normals(rng::words(key, rng::TRUST, 0, region.id, s.region[j].id)).at[0];
            double distance = squares / laws::culture_reference(double(DIMENSIONS));
            contact.trust = contact.trust_start = laws::initial_trust(distance, draw, p);
            contact.damage = 0.0;
        }
        for (int64_t a = 0; a < s.areas; ++a) {
            refresh_slot(s, p, i, a);
            Slot& slot = s.at(i, a);
            slot.capacity_start = slot.capacity;
            slot.due = slot.people * slot.alone;
        }
    }
    for (int64_t k = 0; k < s.given; ++k) place_body(s, w.body + k * BODY_WIDTH, k + 1, p);
    for (int64_t c = 0; c < s.contacts; ++c) s.contact[c].trust_start = s.contact[c].trust;
    remember(s);
    for (int64_t b = 0; b < s.bodies; ++b) {
        if (s.body[b].members <= 0) continue;
        Outlook view = tally(s, p, b, key.quarter);
        for (int64_t m = 0; m < s.body[b].members; ++m) {
            Slot& slot = s.at(s.member(b, m), s.body[b].area);
            slot.expected = slot.realised = slot.judged;
            slot.load = view.load;
            slot.body_trust = view.trust;
        }
    }
    for (int64_t i = 0; i < s.regions; ++i) {
        double hoped = 0.0, joint = 0.0;
        for (int64_t a = 0; a < s.areas; ++a) {
            const Slot& slot = s.at(i, a);
            if (slot.body == NONE) continue;
            double cost = slot.people * slot.alone * s.area[a].cost_per_resident;
            hoped += cost * slot.judged;
            joint += cost;
        }
        if (joint > 0.0) s.region[i].aspiration = hoped / joint;
    }
}

// Measures of a quarter: recording.py --------------------------------------------------------------

constexpr int64_t MONEY = At::efficiency, PERSONS = At::net_efficiency;

static double safe_ratio(double part, double whole) {
    return whole > 0.0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
}

static double gini_from(double total, double weighted, double number) {
    return total > 0.0 ? 2.0 * weighted / (number * total) - (number + 1.0) / number : 0.0;
}

static void add_channels(const Slot& slot, double factor, double* out) {
    out[0] += factor * slot.scale;
    out[1] += factor * slot.spill;
    out[2] += factor * slot.pooled;
    out[3] += factor * slot.coordination;
    out[4] += factor * slot.distance;
    out[5] += factor * slot.newness;
    out[6] += factor * slot.conduct;
    out[7] += factor * slot.self_rule;
    out[8] += factor * slot.fit;
    out[9] += factor * slot.entry;
}

static void record_region(const State& s, int64_t i, double part, double* figures) {
    for (int64_t a = 0; a < s.areas; ++a) {
        const Slot& slot = s.at(i, a);
        double* figure = figures + (i * s.areas + a) * REGION_WIDTH;
        double money = slot.people * slot.alone * s.area[a].cost_per_resident / QUARTERS;
        double net = slot.realised + slot.entry - slot.programme;
        double saved = 1.0 - slot.cost + slot.entry;
        figure[5] += (saved - slot.programme) * money;
        figure[6] += net * money;
        if (part > 0.0) {
            figure[0] += part * (slot.body != NONE);
            figure[1] += part * saved;
            figure[2] += part * (slot.quality - slot.capacity_start);
            figure[3] += part * slot.expected;
            figure[4] += part * net;
            add_channels(slot, part, figure + 7);
            figure[7 + CHANNEL_COUNT] -= part * slot.programme;
        }
    }
}

static void add_region(const State& s, int64_t i, int64_t quarter, vector<double>& quality,
                       double* out) {
    double residents = s.region[i].population;
    double mean = 0.0, gain = 0.0, costs = 0.0, members = 0.0;
    for (int64_t a = 0; a < s.areas; ++a) {
        const Slot& slot = s.at(i, a);
        double yearly = slot.people * slot.alone * s.area[a].cost_per_resident;
        double cost = yearly / QUARTERS;
        mean += slot.quality / s.areas;
        gain += yearly * (slot.realised + slot.entry - slot.programme);
        costs += yearly;
        out[MONEY] += cost;
        out[PERSONS] += residents;
        out[At::saving] += cost * (1.0 - slot.cost + slot.entry);
        out[At::benefit_money] += cost * (slot.realised + slot.entry);
        out[At::opened] += slot.opened == quarter;
        out[At::quality] += residents * slot.quality;
        out[At::quality_change] += residents * (slot.quality - slot.capacity_start);
        if (slot.body != NONE) {
            members += 1.0;
            out[At::shortfall] += 1.0 - slot.kept;
            out[At::membership_age] += double(quarter - slot.entered) / QUARTERS;
            out[At::perceived_benefit] += cost * slot.expected;
            add_channels(slot, cost, out + FIRST_CHANNEL);
        }
    }
    for (int64_t c = s.region[i].first; c < s.region[i].end; ++c)
        out[At::trust] += s.contact[c].trust;
    quality[i] = mean;
    out[At::cooperation] += members;
    out[At::worse_off] += gain < -NEGLIGIBLE * costs;
    out[At::commitment] += s.region[i].commitment;
}

static void conclude_slots(const State& s, int64_t quarter, double* out) {
    double money = out[MONEY], people = out[PERSONS], members = out[At::cooperation];
    double saved = out[At::saving], net = out[At::benefit_money], spent = 0.0;
    for (int64_t k = 0; k < CUSTOM + 2; ++k) spent += paid(s, k);
    out[At::worse_off] /= s.regions;
    out[At::commitment] /= s.regions;
    out[At::cooperation] = members / double(s.slots());
    out[At::efficiency] = saved / money;
    out[At::net_efficiency] = (saved - spent) / money;
    out[At::quality] /= people;
    out[At::quality_change] /= people;
    out[At::perceived_benefit] /= money;
    out[At::realised_benefit] = (net - spent) / money;
    for (int64_t k = 0; k < CHANNEL_COUNT; ++k) out[FIRST_CHANNEL + k] /= money;
    out[At::shortfall] = safe_ratio(out[At::shortfall], members);
    out[At::membership_age] = safe_ratio(out[At::membership_age], members);
    out[At::trust] = safe_ratio(out[At::trust], double(s.contacts));
    const Moment& now = *s.moment;
    out[At::programme_cost] = spent;
    out[At::programme_members] = now.paid_members;
    out[At::programme_centre] = now.paid_centre;
    out[At::programme_tiers] = now.paid_tier;
    out[At::programme_supporters] = now.paid_supporter;
    out[At::net_saving] = saved - spent;
    double years = (quarter + 0.5) / QUARTERS;
    out[At::net_saving_discounted] = (saved - spent) * pow(1.0 + now.discount, -years);
    out[At::benefit_money] = net - spent;
    out[At::saving_per_cost] = safe_ratio(saved, spent);
}

static void record_bodies(const State& s, int64_t quarter, double* out) {
    double bodies = 0.0, members = 0.0, age = 0.0, trust = 0.0, ties = 0.0, largest = 0.0;
    double bought = 0.0;
    for (int64_t b = 0; b < s.bodies; ++b) {
        const Body& body = s.body[b];
        if (body.members <= 0) continue;
        const double* row = s.row(s.slots() + b);
        bodies += 1.0;
        members += body.members;
        largest = max(largest, double(body.members));
        age += double(quarter - body.began) / QUARTERS;
        trust += row[Row::trust];
        ties += laws::ties(row[Row::members], body.form);
        bought += body.form == CONTRACT ? body.members : 0.0;
    }
    out[At::bodies] = bodies;
    out[At::largest_body] = largest;
    out[At::body_size] = safe_ratio(members, bodies);
    out[At::body_age] = safe_ratio(age, bodies);
    out[At::trust_in_bodies] = safe_ratio(trust, 2.0 * ties);
    out[At::contracts] = safe_ratio(bought, members);
}

static void record_spread(const vector<double>& quality, double* out) {
    vector<int64_t> order = argsort(quality);
    int64_t number = int64_t(quality.size()), tenth = (number + 9) / 10;
    for (int64_t k = 0; k < tenth; ++k) out[At::worst_tenth] += quality[order[k]] / tenth;
    double total = 0.0, weighted = 0.0;
    for (int64_t k = 0; k < number; ++k) {
        total += quality[order[k]];
        weighted += (k + 1.0) * quality[order[k]];
    }
    out[At::quality_gini] = gini_from(total, weighted, double(number));
}

static void measure_network(const State& s) {
    vector<int64_t> marks(s.regions, NONE), start(s.regions + 1, 0), partners;
    for (int64_t i = 0; i < s.regions; ++i) {
        for (int64_t a = 0; a < s.areas; ++a) {
            int64_t body = s.at(i, a).body;
            for (int64_t k = 0; body != NONE && k < s.body[body].members; ++k) {
                int64_t j = s.member(body, k);
                if (j != i && marks[j] != i && are_partners(s.at(i, a), s.at(j, a))) {
                    marks[j] = i;
                    partners.push_back(j);
                }
            }
        }
        start[i + 1] = int64_t(partners.size());
    }
    std::fill(marks.begin(), marks.end(), NONE);
    vector<int64_t> counts(s.areas * (CAP - 1) + 1, 0);
    double isolates = 0.0, triples = 0.0, closed = 0.0;
    for (int64_t i = 0; i < s.regions; ++i) {
        int64_t degree = start[i + 1] - start[i];
        counts[degree] += 1;
        isolates += degree == 0;
        triples += degree * (degree - 1.0);
        for (int64_t k = start[i]; k < start[i + 1]; ++k) marks[partners[k]] = i;
        for (int64_t k = start[i]; k < start[i + 1]; ++k)
            for (int64_t m = start[partners[k]]; m < start[partners[k] + 1]; ++m)
                closed += marks[partners[m]] == i;
    }
    double total = 0.0, weighted = 0.0, number = 0.0;
    for (size_t value = 0; value < counts.size(); ++value) {
        double equal = double(counts[value]);
        total += value * equal;
        weighted += value * equal * (number + (equal + 1.0) / 2.0);
        number += equal;
    }
    Moment& now = *s.moment;
    now.density = double(start[s.regions]) / max(s.regions * (s.regions - 1.0), 1.0);
    now.transitivity = safe_ratio(closed, triples);
    now.isolates = isolates / s.regions;
    now.degree_gini = gini_from(total, weighted, number);
}

static void conclude(const State& s, int64_t quarter, const vector<double>& quality, double* out) {
    conclude_slots(s, quarter, out);
    record_bodies(s, quarter, out);
    record_spread(quality, out);
    Moment& now = *s.moment;
    if (now.changed > 0) {
        measure_network(s);
        now.changed = 0;
    }
    out[At::density] = now.density;
    out[At::transitivity] = now.transitivity;
    out[At::isolates] = now.isolates;
    out[At::degree_gini] = now.degree_gini;
    out[At::refused] = now.refused;
    out[At::agreements] = now.concluded;
    out[At::deciding] = now.deciding;
    out[At::ended] = now.left;
    out[At::membership_years] = now.members_before / QUARTERS;
    out[At::matter_time] = safe_ratio(now.matter_months, now.matters);
    out[At::listed_bodies_kept] = safe_ratio(now.listed_kept, now.listed);
    out[At::decision_time] = safe_ratio(now.deciding, now.concluded);
    out[At::exit_rate] = safe_ratio(QUARTERS * now.left, now.members_before);
}

// The loop: engine/ensemble.py ---------------------------------------------------------------------

extern "C" void simulate_runs(const World* world, const Arrays* arrays, const Policy* given,
                              const Sizes* sizes, const Parameters* parameters, const Rule* rule,
                              int64_t seed, const int64_t* runs, int64_t number, double* history,
                              double* figures) {
    const World& w = *world;
    const Parameters& p = *parameters;
    State s;
    static_cast<Arrays&>(s) = *arrays;
    static_cast<Sizes&>(s) = *sizes;
    Strategy policy;
    static_cast<Policy&>(policy) = *given;
    policy.regions = s.regions;
    policy.areas = s.areas;
    policy.customs = s.customs;
    int64_t horizon = w.setting[0].horizon, last_year = min(int64_t(QUARTERS), horizon);
    vector<double> quality(s.regions);
    for (int64_t k = 0; k < number; ++k) {
        initialise(w, s, policy, p, Key{seed, runs[k], 0});
        for (int64_t quarter = 0; quarter < horizon; ++quarter) {
            Key key{seed, runs[k], quarter};
            start_quarter(w, s, policy, p, quarter);
            support(s, policy, p, quarter);
            for (int64_t i = 0; i < s.regions; ++i) {
                ahead_of_region(s, i, false);
                identify(s, i, p, *rule, key);
            }
            if (builds_trust(s)) {
                for (int64_t i = 0; i < s.regions; ++i) {
                    ahead_of_region(s, i, false);
                    communicate(s, i, p);
                }
                tally_all(s, p, quarter);
            }
            for (int64_t i = 0; i < s.regions; ++i) {
                ahead_of_region(s, i, true);
                plan(s, i, p, key);
            }
            form_agreements(s, policy, p, quarter);
            for (int64_t i = 0; i < s.regions; ++i) {
                ahead_of_region(s, i, false);
                coordinate(s, i, p, key);
            }
            for (int64_t b = 0; b < s.bodies; ++b) {
                ahead_of_body(s, b);
                if (s.body[b].members > 0) produce_body(s, p, b, quarter);
            }
            bill(s, policy, p, quarter);
            double* out = history + (k * horizon + quarter) * MEASURE_COUNT;
            std::fill_n(out, MEASURE_COUNT, 0.0);
            double part = quarter >= horizon - last_year ? 1.0 / last_year : 0.0;
            for (int64_t i = 0; i < s.regions; ++i) {
                ahead_of_region(s, i, false);
                evaluate(s, i, p, key);
                add_region(s, i, quarter, quality, out);
                record_region(s, i, part, figures + k * s.slots() * REGION_WIDTH);
            }
            conclude(s, quarter, quality, out);
        }
    }
}
