// Parties and joint bodies: bodies.py in C++, with the arrays of state.py.
#pragma once

#include "laws.hpp"

constexpr int64_t NONE = NOBODY;

// The arrays of the NamedTuples of state.py, in their order: Python passes arrays of pointers.
struct World {
    const Region* region;
    const Contact* contact;
    const Area* area;
    const Moment* setting;
    const double *capacity, *stress, *culture, *goodwill, *autonomy, *interest;
    const int64_t *body, *period;
    const double *population, *stress_change, *demand;
    const Shock* shock;
    const int64_t *shocked, *leaving;
};

struct Policy {
    const int64_t* period;
    const double *lever, *budget;
    const int64_t* target;
    const double* part;
    const int64_t *listed, *payer;
    const double *price, *effect, *rate;
    const int64_t *base, *bearer, *forum;
    const double* ceiling;
    const int64_t *counted, *mandate;
    const double* mandate_price;
    const int64_t* mandate_counted;
};

struct Arrays {
    Region* region;
    Slot* slot;
    Contact* contact;
    Area* area;
    double* effect;
    Body* body;
    int64_t* members;
    double* sums;
    Moment* moment;
    Option* option;
    double* ledger;
};

struct Sizes {
    int64_t regions, areas, contacts, bodies, width, shocks, given, leavings, customs, mandates;
};

struct State : Arrays, Sizes {
    Slot& at(int64_t i, int64_t a) const { return slot[i * areas + a]; }
    double* row(int64_t party) const { return sums + party * width; }
    double* last() const { return row(regions * areas + bodies); }
    double* effects(int64_t a) const { return effect + a * TERMS * 2; }
    int64_t member(int64_t body, int64_t k) const { return members[body * CAP + k]; }
    int64_t party(int64_t i, int64_t a) const {
        int64_t body = at(i, a).body;
        return body == NONE ? i * areas + a : slots() + body;
    }
    int64_t slots() const { return regions * areas; }
    int64_t body_of(int64_t party) const { return party >= slots() ? party - slots() : NONE; }
    int64_t party_member(int64_t party, int64_t k) const {
        int64_t body = body_of(party);
        return body == NONE ? party / areas : member(body, k);
    }
    int64_t union_member(int64_t first, int64_t second, int64_t split, int64_t k) const {
        return k < split ? party_member(first, k) : party_member(second, k - split);
    }
    double* hub_row(int64_t provider, int64_t a) const {
        return row(max(provider, int64_t{0}) * areas + a);
    }
};

using P = Parameters;

struct Differences {
    double culture, interests, practice;
};

struct Outlook {
    double price, quality, capacity, unit, coordination, haul, penalty, trust, load, wish;
    Differences apart;
    double again;
};

struct Sides {
    double penalty;
    int64_t form, provider, host;
    bool first_enters, second_enters;
};

inline double same_forum(const Region& one, const Region& other) {
    return one.forum >= 0 && one.forum == other.forum ? 1.0 : 0.0;
}

inline bool is_away(const Slot& slot) { return slot.away > 0 && slot.body == NONE; }

inline bool may_unite(const State& s, int64_t i, int64_t j, int64_t a, int64_t first,
                      int64_t second) {
    const Slot &one = s.at(i, a), &other = s.at(j, a);
    if (is_away(one) || is_away(other)) return false;
    if (first == second || one.role == BUYER || other.role == BUYER) return false;
    if (one.role == PROVIDER && s.body_of(second) != NONE) return false;
    return other.role != PROVIDER || s.body_of(first) == NONE;
}

inline bool are_partners(const Slot& one, const Slot& other) {
    return one.body != NONE && one.body == other.body &&
           (one.role != BUYER || other.role != BUYER);
}

inline double partners_before(const State& s, int64_t i, int64_t j, int64_t a) {
    for (int64_t b = 0; b < s.areas; ++b) {
        const Slot &one = s.at(i, b), &other = s.at(j, b);
        bool same = b != a && one.before != NONE && one.before == other.before;
        if (same && (one.role_before != BUYER || other.role_before != BUYER)) return 1.0;
    }
    return 0.0;
}

inline void remember(const State& s) {
    for (int64_t k = 0; k < s.slots(); ++k) {
        Slot& slot = s.slot[k];
        if (slot.before != slot.body || slot.role_before != slot.role) {
            slot.before = slot.body;
            slot.role_before = slot.role;
        }
    }
}

inline void refresh_slot(const State& s, const P& p, int64_t i, int64_t a) {
    const Region& region = s.region[i];
    const Area& area = s.area[a];
    Slot& slot = s.at(i, a);
    slot.people = region.population * slot.demand;
    slot.alone = laws::unit_cost(slot.people, area.efficient_scale, area.curvature_below,
                                 area.curvature_above, s.moment->unit_cost);
    slot.reference = slot.capacity * laws::strained(slot.demand);
    double weight =
        laws::sharing_weight(s.moment->shares, slot.people, slot.alone, region.stress);
    slot.weight = weight;
    slot.burden = weight / (slot.people * slot.alone);
    double* row = s.row(i * s.areas + a);
    row[Row::members] = 1.0;
    row[Row::people] = slot.people;
    row[Row::residents] = region.population;
    row[Row::capacity] = slot.people * slot.capacity;
    row[Row::best] = slot.capacity;
    row[Row::reference] = slot.reference;
    row[Row::weight] = weight;
    row[Row::burden] = slot.burden;
    double aid = laws::aided(slot.government, slot.business, p);
    row[Row::entry] = laws::entry_weight(region.stress, slot.burden, aid);
    row[Row::autonomy] = region.autonomy;
    row[Row::autonomy_people] = region.autonomy * region.population;
    row[Row::reputation] = region.reputation;
    row[Row::commitment] = region.commitment;
    row[Row::trust] = row[Row::spill] = row[Row::judged] = row[Row::again] = 0.0;
    row[Row::mediation] = slot.ngo;
    row[Row::business] = slot.business;
    row[Row::voice] = slot.community;
    row[Row::practice] = slot.practice;
    row[Row::practice_squares] = slot.practice * slot.practice;
    row[Row::wish_people] = slot.interest * region.population;
    row[Row::wish_squares] = slot.interest * slot.interest;
    row[Row::x] = region.population * region.x;
    row[Row::y] = region.population * region.y;
    row[Row::z] = region.population * region.z;
    if (slot.body == NONE) slot.judged = slot.omega = 0.0;
}

inline double body_forum_share(const State& s, int64_t body) {
    if (s.area[s.body[body].area].forum == 0.0) return 0.0;
    int64_t n = s.body[body].members;
    double pairs = 0.0;
    for (int64_t k = 0; k < n; ++k)
        for (int64_t m = 0; m < k; ++m)
            pairs += same_forum(s.region[s.member(body, k)], s.region[s.member(body, m)]);
    return pairs / (0.5 * n * (n - 1.0));
}

inline double union_forum_share(const State& s, int64_t a, int64_t first, int64_t second) {
    if (s.area[a].forum == 0.0) return 0.0;
    int64_t split = int64_t(s.row(first)[Row::members]);
    int64_t n = split + int64_t(s.row(second)[Row::members]);
    double pairs = 0.0;
    for (int64_t k = 0; k < n; ++k) {
        const Region& one = s.region[s.union_member(first, second, split, k)];
        for (int64_t m = 0; m < k; ++m)
            pairs += same_forum(one, s.region[s.union_member(first, second, split, m)]);
    }
    return pairs / (0.5 * n * (n - 1.0));
}

inline Differences differences(const double* row, const double* hub, int64_t form, int64_t width) {
    double n = row[Row::members], areas = double(width - INTERESTS);
    double culture = 0.0, interests = 0.0, by_culture = 0.0, by_interests = 0.0;
    for (int64_t d = CULTURE; d < INTERESTS; ++d) {
        culture += row[d] * row[d];
        by_culture += row[d] * hub[d];
    }
    for (int64_t f = INTERESTS; f < width; ++f) {
        interests += row[f] * row[f];
        by_interests += row[f] * hub[f];
    }
    double practice = row[Row::practice] * row[Row::practice];
    double by_practice = row[Row::practice] * hub[Row::practice];
    double one = laws::culture_reference(double(DIMENSIONS));
    double two = laws::interest_reference(areas), three = laws::practice_reference();
    if (form == CONTRACT)
        return {laws::distance_from(n, row[Row::culture_squares], hub[Row::culture_squares],
                                    by_culture, one),
                laws::distance_from(n, row[Row::interest_squares], hub[Row::interest_squares],
                                    by_interests, two),
                laws::distance_from(n, row[Row::practice_squares], hub[Row::practice_squares],
                                    by_practice, three)};
    return {laws::distance(n, row[Row::culture_squares], culture, one),
            laws::distance(n, row[Row::interest_squares], interests, two),
            laws::distance(n, row[Row::practice_squares], practice, three)};
}

inline Outlook outlook(const Area& area, const double* effects, const Moment& now, const P& p,
                       const double* row, const double* hub, int64_t form, double penalty,
                       double forum, double shortfall, double foreseen, double expected,
                       int64_t width) {
    using namespace laws;
    double n = row[Row::members], system = area.information;
    double meeting = area.forum * forum, ties = laws::ties(n, form);
    double trust = mean_trust(row[Row::trust], ties), again = row[Row::again] / ties;
    Differences apart = differences(row, hub, form, width);
    double information =
        act<Term::information>(information_cost(apart.culture, meeting, system, p), effects);
    double practice = act<Term::practice>(practice_cost(apart.practice, system, p), effects);
    double steering = act<Term::steering>(laws::steering(area.team, p), effects);
    double negotiation =
        negotiation_cost(apart.interests, expected, partner_exponent(form), steering,
                         area.planning, area.team, row[Row::mediation] / n, p);
    negotiation = act<Term::negotiation>(scoped(negotiation, again, p), effects);
    double enforcement = act<Term::enforcement>(
        enforcement_cost(trust, area.difficulty, form, area.monitoring, p), effects);
    double overhead = scoped(overhead_cost(form, p), again, p);
    double radius = laws::radius(row[Row::residents], row[Row::x], row[Row::y], row[Row::z], EARTH);
    double haul = haul_cost(area.haul, radius);
    double unit = unit_cost(row[Row::people], area.efficient_scale, area.curvature_below,
                            area.curvature_above, now.unit_cost);
    double load = information + practice + negotiation;
    double coordination = foreseen * (load + enforcement + overhead);
    double cost = joint_cost(row[Row::people], unit, coordination, haul, penalty);
    double capacity;
    if (form == CONTRACT) {
        capacity = hub[Row::best];
    } else {
        double pooling =
            act<Term::pooling>(laws::pooling(meeting, row[Row::business] / n, p), effects);
        double mean = row[Row::capacity] / row[Row::people];
        capacity = pooled_capacity(mean, row[Row::best], pooling);
    }
    if (row[Row::people] > row[Row::residents])
        capacity *= strained(row[Row::people] / row[Row::residents]);
    capacity = act<Term::capacity>(capacity, effects);
    double remoteness =
        act<Term::remoteness>(laws::remoteness(radius, row[Row::voice] / n, p), effects);
    double quality =
        act<Term::quality>(joint_quality(capacity, shortfall, penalty, remoteness), effects);
    const double* made_for = form == CONTRACT ? hub : row;
    return {cost / row[Row::weight], quality, capacity, unit, coordination, haul, penalty, trust,
            load, made_for[Row::wish_people] / made_for[Row::residents], apart, again};
}

inline Outlook present_outlook(const State& s, const P& p, int64_t a, int64_t body,
                               int64_t quarter) {
    const double* row = s.row(s.slots() + body);
    const Body& one = s.body[body];
    double penalty = laws::transition(double(quarter - one.began) / QUARTERS, p);
    double forum = body_forum_share(s, body);
    double shortfall = 1.0 - row[Row::reputation] / row[Row::members];
    return outlook(s.area[a], s.effects(a), *s.moment, p, row, s.hub_row(one.provider, a), one.form,
                   penalty, forum, shortfall, 1.0, row[Row::members], s.width);
}

inline double misfit(const Slot& slot, const Area& area, const double* effects, const P& p,
                     const Outlook& view, int64_t areas) {
    double loss = laws::fit_loss(slot.interest, view.wish, double(areas), p);
    return laws::act<Term::fit>(laws::planned_fit(loss, area.planning, p), effects);
}

inline double benefit(const State& s, int64_t i, int64_t a, const P& p, const Outlook& view,
                      double omega, double people) {
    const Region& region = s.region[i];
    const Slot& slot = s.at(i, a);
    const Area& area = s.area[a];
    double cost_ratio = view.price * slot.burden - area.spillover * omega / slot.alone;
    double lost = laws::autonomy_loss(region.autonomy, region.population / people, p);
    double loss = misfit(slot, area, s.effects(a), p, view, s.areas);
    return laws::net_benefit(cost_ratio, view.quality - slot.reference, lost, loss, p);
}

inline double entry_cost(const Region& region, const Slot& slot, const P& p, double price) {
    double aid = laws::aided(slot.government, slot.business, p);
    return laws::entry_cost(region.stress, price * slot.burden, aid, p);
}

inline Outlook tally(const State& s, const P& p, int64_t body, int64_t quarter) {
    int64_t a = s.body[body].area, size = s.body[body].members, hub = s.body[body].provider;
    double* row = s.row(s.slots() + body);
    for (int64_t f = 0; f < s.width; ++f) row[f] = 0.0;
    for (int64_t k = 0; k < size; ++k) {
        const double* alone = s.row(s.member(body, k) * s.areas + a);
        double best = max(row[Row::best], alone[Row::best]);
        for (int64_t f = 0; f < s.width; ++f) row[f] += alone[f];
        row[Row::best] = best;
    }
    for (int64_t k = 0; k < size; ++k) {
        int64_t i = s.member(body, k);
        Slot& slot = s.at(i, a);
        double omega = 0.0, trust;
        if (hub == NONE || hub == i)
            trust = row[Row::reputation] - s.region[i].reputation;
        else
            trust = s.region[hub].reputation;
        for (int64_t c = s.region[i].first; c < s.region[i].end; ++c) {
            const Contact& contact = s.contact[c];
            if (s.at(contact.target, a).body == body) {
                omega += contact.spill;
                if (hub == NONE || hub == i || hub == contact.target)
                    trust += contact.trust - s.region[contact.target].reputation;
            }
        }
        slot.omega = omega;
        row[Row::trust] += trust;
        row[Row::spill] += omega / slot.alone;
        for (int64_t m = 0; m < k; ++m) {
            int64_t j = s.member(body, m);
            if (hub == NONE || hub == i || hub == j) row[Row::again] += partners_before(s, i, j, a);
        }
    }
    Outlook view = present_outlook(s, p, a, body, quarter);
    for (int64_t k = 0; k < size; ++k) {
        int64_t i = s.member(body, k);
        Slot& slot = s.at(i, a);
        slot.judged = benefit(s, i, a, p, view, slot.omega, row[Row::residents]);
        row[Row::judged] += slot.judged;
    }
    return view;
}

inline double cross_omega(const State& s, const Region& region, int64_t a, int64_t other) {
    double omega = 0.0;
    for (int64_t c = region.first; c < region.end; ++c)
        if (s.contact[c].spill > 0.0 && s.party(s.contact[c].target, a) == other)
            omega += s.contact[c].spill;
    return omega;
}

inline void add_rows(const State& s, int64_t first, int64_t second) {
    double* row = s.last();
    const double *one = s.row(first), *two = s.row(second);
    for (int64_t f = 0; f < s.width; ++f) row[f] = one[f] + two[f];
    row[Row::best] = max(one[Row::best], two[Row::best]);
}

inline void unite_rows(const State& s, int64_t i, int64_t a, int64_t first, int64_t second,
                       int64_t provider) {
    add_rows(s, first, second);
    double* row = s.last();
    const double *one = s.row(first), *two = s.row(second);
    int64_t split = int64_t(one[Row::members]), number = split + int64_t(two[Row::members]);
    if (provider == NONE)
        row[Row::trust] +=
            one[Row::members] * two[Row::reputation] + two[Row::members] * one[Row::reputation];
    for (int64_t k = 0; k < split; ++k) {
        int64_t x = s.union_member(first, second, split, k);
        for (int64_t m = split; m < number; ++m) {
            int64_t y = s.union_member(first, second, split, m);
            if (provider == NONE || provider == x || provider == y) {
                row[Row::again] += partners_before(s, x, y, a);
                if (provider != NONE)
                    row[Row::trust] += s.region[x].reputation + s.region[y].reputation;
            }
        }
    }
    double own = s.region[i].reputation;
    for (int64_t c = s.region[i].first; c < s.region[i].end; ++c) {
        const Contact& contact = s.contact[c];
        int64_t j = contact.target;
        if (s.party(j, a) == second) {
            const Contact& back = s.contact[contact.reverse];
            if (provider == NONE || provider == i || provider == j) {
                row[Row::trust] += contact.trust - s.region[j].reputation;
                row[Row::trust] += back.trust - own;
            }
            row[Row::spill] += contact.spill / s.at(i, a).alone;
            row[Row::spill] += back.spill / s.at(j, a).alone;
        }
    }
}

inline Sides assign_sides(const State& s, const P& p, int64_t first, int64_t second, int64_t a,
                          int64_t quarter) {
    int64_t one = s.body_of(first), two = s.body_of(second);
    if (one == NONE && two == NONE)
        return {s.moment->founding_penalty, s.area[a].form, NONE, NONE, true, true};
    bool first_is_larger = s.row(first)[Row::residents] > s.row(second)[Row::residents];
    int64_t host = two == NONE || (one != NONE && first_is_larger) ? one : two;
    const Body& body = s.body[host];
    bool first_enters = body.form == CONTRACT ? one == NONE : !first_is_larger;
    double age = double(quarter - body.began) / QUARTERS;
    return {laws::transition(age, p), body.form, body.provider, host, first_enters, !first_enters};
}

inline int64_t choose_provider(const State& s, int64_t i, int64_t j, int64_t a) {
    const Slot &one = s.at(i, a), &two = s.at(j, a);
    if (one.capacity != two.capacity) return one.capacity > two.capacity ? i : j;
    if (s.region[i].population != s.region[j].population)
        return s.region[i].population > s.region[j].population ? i : j;
    return min(i, j);
}

inline double change_for_all(const State& s, const P& p, int64_t a, const double* row,
                             const Outlook& view, double entry) {
    const Area& area = s.area[a];
    double members = row[Row::members], areas = double(s.areas);
    double gain = members * view.quality - row[Row::reference];
    double lost = row[Row::autonomy] - row[Row::autonomy_people] / row[Row::residents];
    double loss = laws::fit_loss_of_all(row[Row::wish_squares], row[INTERESTS + a], members,
                                        view.wish, areas, p);
    loss = members * laws::act<Term::fit>(laws::planned_fit(loss / members, area.planning, p),
                                          s.effects(a));
    return laws::union_change(members, view.price * row[Row::burden],
                              area.spillover * row[Row::spill], gain, lost, loss, view.price,
                              entry, row[Row::judged], p);
}

inline double own_change(const State& s, int64_t i, int64_t a, const P& p, const Outlook& view,
                         double omega, double people, bool enters) {
    double own = benefit(s, i, a, p, view, omega, people);
    if (enters) own -= entry_cost(s.region[i], s.at(i, a), p, view.price);
    return own - s.at(i, a).judged;
}

inline int64_t choose_form(const State& s, const P& p, int64_t i, int64_t j, int64_t a,
                           int64_t first, int64_t second, double forum, double shortfall,
                           double foreseen) {
    const double* row = s.last();
    const Area& area = s.area[a];
    const Moment& now = *s.moment;
    double expected =
        laws::expected_members(area.efficient_scale, 0.5 * row[Row::people], double(now.cap));
    const double* hub = s.hub_row(choose_provider(s, i, j, a), a);
    double here = s.at(i, a).omega + cross_omega(s, s.region[i], a, second);
    double there = s.at(j, a).omega + cross_omega(s, s.region[j], a, first);
    int64_t taken = BOARD;
    double best = -INFINITE;
    for (int64_t form : {CONTRACT, BOARD}) {
        Outlook view = outlook(area, s.effects(a), now, p, row, hub, form, now.founding_penalty,
                               forum, shortfall, foreseen, expected, s.width);
        double worse = min(own_change(s, i, a, p, view, here, row[Row::residents], true),
                           own_change(s, j, a, p, view, there, row[Row::residents], true));
        if (worse > best) {
            taken = form;
            best = worse;
        }
    }
    return taken;
}

struct Judgement {
    Sides sides;
    Outlook view;
    double whole;
};

inline Judgement judge_union(const State& s, const P& p, int64_t i, int64_t a, int64_t first,
                             int64_t second, double planning, int64_t quarter) {
    Sides sides = assign_sides(s, p, first, second, a, quarter);
    unite_rows(s, i, a, first, second, sides.provider);
    const double* row = s.last();
    double forum = union_forum_share(s, a, first, second);
    double shortfall = 1.0 - row[Row::reputation] / row[Row::members], foreseen = 1.0;
    if (sides.host == NONE) {
        int64_t j = second / s.areas;
        double missed = laws::unforeseen(s.area[a].information, planning, p);
        foreseen = 1.0 - laws::act<Term::unforeseen>(missed, s.effects(a));
        if (sides.form == CHOICE)
            sides.form = choose_form(s, p, i, j, a, first, second, forum, shortfall, foreseen);
        if (sides.form == CONTRACT) sides.provider = choose_provider(s, i, j, a);
    }
    Outlook view = outlook(s.area[a], s.effects(a), *s.moment, p, row, s.hub_row(sides.provider, a),
                           sides.form, sides.penalty, forum, shortfall, foreseen,
                           row[Row::members], s.width);
    double entry = 0.0;
    if (sides.first_enters) entry += s.row(first)[Row::entry];
    if (sides.second_enters) entry += s.row(second)[Row::entry];
    return {sides, view, change_for_all(s, p, a, row, view, entry)};
}

inline double misjudgement(const State& s, const P& p, int64_t i, int64_t a, int64_t contact,
                           double planning) {
    const Region &one = s.region[i], &other = s.region[s.contact[contact].target];
    Key key{s.moment->seed, s.moment->traits, 0};
    double error = rng::normal_by_area(key, rng::ERROR, one.id, other.id, a);
    double meeting = s.area[a].forum * same_forum(one, other);
    return error * laws::act<Term::error>(laws::misperception(meeting, planning, p), s.effects(a));
}

inline double current_goodwill(const Region& region, const Slot& slot, int64_t quarter) {
    return laws::mandated_goodwill(region.goodwill, slot.bound_until > quarter);
}

inline int64_t open_body(const State& s, int64_t i, int64_t a, int64_t form, int64_t provider,
                         int64_t quarter) {
    int64_t body = (i * s.areas + a) / 2 % s.bodies;
    while (s.body[body].members > 0) body = (body + 1) % s.bodies;
    Body& one = s.body[body];
    one.area = a;
    one.form = form;
    one.provider = provider;
    one.began = quarter;
    return body;
}

inline void enter(const State& s, int64_t body, int64_t i, int64_t quarter) {
    int64_t a = s.body[body].area, k = s.body[body].members, *member = s.members + body * CAP;
    for (; k > 0 && member[k - 1] > i; --k) member[k] = member[k - 1];
    member[k] = i;
    s.body[body].members += 1;
    s.at(i, a).body = body;
    s.at(i, a).entered = quarter;
    if (s.body[body].form == CONTRACT)
        s.at(i, a).role = s.body[body].provider == i ? PROVIDER : BUYER;
    s.moment->changed = 1;
}

inline void break_listed(const State& s, int64_t body, int64_t number) {
    if (number == 0) return;
    s.moment->listed_kept -= 1.0;
    for (int64_t m = 0; m < s.body[body].members; ++m) {
        Slot& slot = s.at(s.member(body, m), s.body[body].area);
        if (slot.listed == number) slot.listed = 0;
    }
}

inline void clear_membership(const State& s, int64_t i, int64_t a) {
    Slot& slot = s.at(i, a);
    slot.body = slot.mandate = NONE;
    slot.role = slot.bound_until = 0;
    slot.omega = slot.judged = slot.expected = 0.0;
}

inline void withdraw(const State& s, int64_t body, int64_t i) {
    int64_t a = s.body[body].area, size = s.body[body].members, k = 0;
    int64_t* member = s.members + body * CAP;
    break_listed(s, body, s.at(i, a).listed);
    while (member[k] != i) ++k;
    for (; k < size - 1; ++k) member[k] = member[k + 1];
    member[size - 1] = NONE;
    s.body[body].members = size - 1;
    clear_membership(s, i, a);
    s.moment->changed = 1;
    if (size - 1 == 1 || s.body[body].provider == i) {
        for (int64_t m = 0; m < size - 1; ++m) {
            break_listed(s, body, s.at(member[m], a).listed);
            clear_membership(s, member[m], a);
            member[m] = NONE;
        }
        s.body[body].members = 0;
    }
}

inline void move_members(const State& s, int64_t source, int64_t host, int64_t quarter) {
    for (int64_t k = 0; k < s.body[source].members; ++k) {
        enter(s, host, s.member(source, k), quarter);
        s.members[source * CAP + k] = NONE;
    }
    s.body[source].members = 0;
}
