/* What wsload's two files share: the counters, the clock, the histogram. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum op { NONE, CONNECT, MEASURE, SETTLE, WAIT };
enum state { CLOSED, OPENING, HANDSHAKE, OPENED, GREETED, UP };

struct conn {
    int fd;
    uint8_t state;
    bool stalled;
    uint32_t number;  /* decides token, tours and source address */
    uint32_t states;  /* INITIAL_STATEs that came */
    uint32_t missing; /* tours whose newest fact has not come */
    uint32_t rest_size;
    char *rest;       /* the beginning of a frame whose end has not come */
    int64_t began_us;
    int64_t *seen;    /* per tour: the highest version + 1; 0: none */
};

#define SUB_BITS 6 /* 64 buckets to each power of two: values within 1.6 % */
#define BUCKETS ((40 - SUB_BITS) << SUB_BITS)

struct load {
    /* What was asked for. */
    uint16_t port;
    bool socketio, same, spin;
    uint32_t tours, follow, sources;
    char **token;
    uint32_t tokens;
    int64_t first, count, start_us;
    double rate;
    /* The operation under way. */
    enum op op;
    uint32_t wanted, states, inflight, most_inflight, to_open;
    int64_t began_us, until_us, grace_us, last_us, goal;
    double cpu;
    /* What came of it. */
    uint64_t hist[BUCKETS], samples, received, duplicates, back, malformed, bytes, pings;
    uint32_t ups, failed, retried, lost, settled;
    /* Connections. */
    int epoll;
    struct conn *conn;
    uint32_t conns, room, open, reading;
};
extern struct load load;

static inline int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static inline uint32_t bucket_of(uint64_t us) {
    if (us < (1u << SUB_BITS)) return (uint32_t)us;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(us) - SUB_BITS;
    uint32_t bucket = ((shift + 1) << SUB_BITS) + (uint32_t)((us >> shift) - (1u << SUB_BITS));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static inline void hist_add(int64_t us, uint64_t count) {
    load.hist[bucket_of(us < 0 ? 0 : (uint64_t)us)] += count;
    load.samples += count;
}

/* The value, in microseconds, that a share of the samples does not exceed. */
static inline double hist_value(double share) {
    uint64_t rank = (uint64_t)(share * (double)load.samples), below = 0;
    if (rank >= load.samples && load.samples) rank = load.samples - 1;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        below += load.hist[i];
        if (below > rank) {
            if (i < (1u << SUB_BITS)) return i;
            uint32_t shift = (i >> SUB_BITS) - 1;
            return (double)((uint64_t)((i & ((1u << SUB_BITS) - 1)) + (1u << SUB_BITS)) << shift);
        }
    }
    return 0;
}

/* The newest fact about a tour up to the goal; -1: none. */
static inline int64_t goal_of(uint32_t tour) {
    int64_t turn = load.goal - (int64_t)((load.goal - tour) % load.tours + load.tours) % load.tours;
    return turn < 1 ? -1 : turn;
}

void read_tokens(const char *file);
void connect_more(uint32_t count, uint32_t inflight);
void open_failed(void);
void conn_ready(struct conn *conn, uint32_t events);
void conn_stall(struct conn *conn, bool stalled);
void conn_cut(struct conn *conn);
