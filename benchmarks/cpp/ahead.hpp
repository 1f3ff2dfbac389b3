// Fetching memory ahead in worlds that outgrow the cache: the same as in jit.py.
#pragma once

#include "bodies.hpp"

constexpr int64_t LARGE = 1000, AHEAD = 12, PLACES = 24, LINE = 64;

inline void fetch(const void* start, int64_t size) {
    for (int64_t place = 0; place < size; place += LINE)
        __builtin_prefetch(static_cast<const char*>(start) + place);
}

template <typename Record>
inline void fetch(const Record* array, int64_t start, int64_t number) {
    fetch(array + start, number * int64_t(sizeof(Record)));
}

inline void fetch_rows(const State& s, int64_t first, int64_t number) {
    fetch(s.sums, first * s.width, number * s.width);
}

inline void fetch_slot(const State& s, int64_t i, int64_t a) {
    fetch(s.slot, i * s.areas + a, 1);
    fetch(s.region, i, 1);
    fetch_rows(s, i * s.areas + a, 1);
}

inline void fetch_contacts(const State& s, int64_t i) {
    fetch(s.contact, s.region[i].first, s.region[i].end - s.region[i].first);
}

inline void ahead_of_region(const State& s, int64_t i, bool parties) {
    if (s.regions < LARGE) return;
    int64_t far = i + AHEAD, near = i + AHEAD / 2;
    fetch(s.slot, far * s.areas, s.areas);
    fetch(s.region, far, 1);
    fetch_rows(s, far * s.areas, s.areas);
    if (near >= s.regions) return;
    fetch_contacts(s, near);
    for (int64_t a = 0; a < (parties ? s.areas : 0); ++a) {
        int64_t contact = s.at(near, a).contact;
        if (contact >= 0) fetch_rows(s, s.party(s.contact[contact].target, a), 1);
    }
}

inline void ahead_of_body(const State& s, int64_t body) {
    if (s.regions < LARGE) return;
    int64_t far = body + 2 * PLACES, near = body + PLACES, soon = body + PLACES / 2;
    if (far < s.bodies && s.body[far].members > 0) {
        fetch(s.members, far * CAP, CAP);
        fetch_rows(s, s.slots() + far, 1);
    }
    for (int64_t k = 0; near < s.bodies && k < s.body[near].members; ++k)
        fetch_slot(s, s.member(near, k), s.body[near].area);
    for (int64_t k = 0; soon < s.bodies && k < s.body[soon].members; ++k)
        fetch_contacts(s, s.member(soon, k));
}

inline void ahead_of_negotiation(const State& s, const int64_t* queue, size_t number, size_t k) {
    if (s.regions < LARGE) return;
    if (k + 8 < number) fetch_slot(s, queue[k + 8] / s.areas, queue[k + 8] % s.areas);
    if (k + 4 < number) {
        int64_t i = queue[k + 4] / s.areas, a = queue[k + 4] % s.areas;
        fetch_contacts(s, i);
        if (s.at(i, a).contact >= 0) fetch_slot(s, s.contact[s.at(i, a).contact].target, a);
    }
    if (k + 2 < number) {
        int64_t i = queue[k + 2] / s.areas, a = queue[k + 2] % s.areas;
        if (s.at(i, a).contact >= 0) fetch_contacts(s, s.contact[s.at(i, a).contact].target);
    }
}
