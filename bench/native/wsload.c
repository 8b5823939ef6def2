/* wsload: thousands of WebSocket clients in one thread, cheap enough not to be what is measured.

   wsload PORT [key=value ...]     socketio=1   tours=N (ids t00000 to t(N-1))   follow=K (K tours each, chosen by
                                   the connection's number)   same=1 (all of them the same K)   tokens=FILE (one a
                                   line, for Authorization)   sources=N (client addresses, from 127.0.1.1 on)

   Facts are numbered. Fact n is about tour n % N, has version n, and is due at START + (n - FIRST) / RATE on
   CLOCK_MONOTONIC: latency is counted from then, so a server that falls behind shows it. Frames are read in place;
   `version` must be the last member of its object, and `type` and `tourId` the first two.

   Commands on standard input, one a line; each is answered by one line of JSON, in order:

   schedule FIRST COUNT START_US RATE   the facts that come next
   connect N INFLIGHT STATES            open N connections more; one is up when STATES INITIAL_STATEs have come
   measure SPIN GRACE_MS                count what comes of the schedule
   stall K                              stop reading from K connections
   resume                               read from them again, until each has every tour's newest fact
   herd INFLIGHT                        cut every connection, and reconnect until each has every tour's newest fact
   wait MS                              only answer pings
*/
#include "wsload.h"

struct load load = {.tours = 1};

static void finish(void) {
    load.op = NONE;
    fputs("}\n", stdout);
    fflush(stdout);
}

static void answer(const char *format, ...) {
    va_list list;
    fputc('{', stdout);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
}

static void hist_print(void) {
    static const struct { const char *name; double share; } points[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}};
    printf(",\"samples\":%llu", (unsigned long long)load.samples);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        printf(",\"%s\":%.3f", points[i].name, hist_value(points[i].share) / 1e3);
}

static double cpu_seconds(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void reset(enum op op) {
    memset(load.hist, 0, sizeof load.hist);
    load.samples = load.received = load.duplicates = load.back = load.bytes = 0;
    load.ups = load.failed = load.lost = load.pings = load.malformed = load.settled = load.retried = 0;
    load.last_us = 0;
    load.op = op;
    load.began_us = now_us();
    load.cpu = cpu_seconds();
}

/* The newest fact that is due by now, if any. */
static int64_t newest(int64_t now) {
    double due = (double)(now - load.start_us) * load.rate / 1e6;
    if (due < 0) return load.first - 1;
    if (due >= load.count) return load.first + load.count - 1;
    return load.first + (int64_t)due;
}

/* Let `conn` be settled once it has, of each tour, the newest fact up to `goal`. */
static void aim(struct conn *conn, int64_t goal) {
    load.goal = goal;
    conn->missing = 0;
    for (uint32_t tour = 0; tour < load.tours; tour++)
        if (goal_of(tour) >= conn->seen[tour]) conn->missing++;
}

static void tick(int64_t now) {
    if (load.op == CONNECT && load.ups + load.failed >= load.wanted) {
        answer("\"up\":%u,\"failed\":%u,\"seconds\":%.4f,\"malformed\":%llu", load.ups, load.failed,
               (now - load.began_us) / 1e6, (unsigned long long)load.malformed);
        hist_print();
        finish();
    } else if (load.op == MEASURE) {
        int64_t due = load.start_us + (int64_t)(load.count * 1e6 / load.rate);
        uint64_t expected = (uint64_t)load.reading * load.count;
        int64_t quiet = now - (load.last_us > due ? load.last_us : due);
        if (load.received - load.duplicates - load.back < expected && quiet < load.grace_us && now < due + 20000000)
            return;
        answer("\"expected\":%llu,\"received\":%llu,\"duplicates\":%llu,\"back\":%llu,\"malformed\":%llu,\"bytes\":%llu,"
               "\"lost\":%u,\"pings\":%llu,\"seconds\":%.4f,\"cpu\":%.3f",
               (unsigned long long)expected, (unsigned long long)load.received, (unsigned long long)load.duplicates,
               (unsigned long long)load.back, (unsigned long long)load.malformed, (unsigned long long)load.bytes,
               load.lost, (unsigned long long)load.pings, (load.last_us - load.start_us) / 1e6,
               cpu_seconds() - load.cpu);
        hist_print();
        finish();
    } else if (load.op == SETTLE && load.failed != load.retried) {
        load.retried = load.failed;
        open_failed();
    } else if (load.op == SETTLE && (load.settled >= load.wanted || now > load.began_us + 60000000)) {
        answer("\"settled\":%u,\"wanted\":%u,\"ms\":%.3f,\"failed\":%u,\"lost\":%u,\"duplicates\":%llu,\"back\":%llu,"
               "\"received\":%llu", load.settled, load.wanted, (load.last_us - load.began_us) / 1e3, load.failed,
               load.lost, (unsigned long long)load.duplicates, (unsigned long long)load.back,
               (unsigned long long)load.received);
        hist_print();
        finish();
    } else if (load.op == WAIT && now >= load.until_us) {
        answer("\"open\":%u,\"lost\":%u,\"pings\":%llu,\"received\":%llu", load.open, load.lost,
               (unsigned long long)load.pings, (unsigned long long)load.received);
        finish();
    }
}

static void command(char *line) {
    long long a = 0, b = 0, c = 0;
    double rate = 0;
    if (sscanf(line, "schedule %lld %lld %lld %lf", &a, &b, &c, &rate) == 4) {
        load.first = a, load.count = b, load.start_us = c, load.rate = rate;
        answer("\"ok\":1");
        finish();
    } else if (sscanf(line, "connect %lld %lld %lld", &a, &b, &c) == 3) {
        reset(CONNECT);
        load.wanted = a, load.states = c;
        connect_more((uint32_t)a, (uint32_t)b);
    } else if (sscanf(line, "measure %lld %lld", &a, &b) == 2) {
        reset(MEASURE);
        load.spin = a != 0, load.grace_us = b * 1000;
    } else if (sscanf(line, "stall %lld", &a) == 1) {
        for (uint32_t i = 0; i < load.conns && i < a; i++) conn_stall(&load.conn[i], true);
        answer("\"stalled\":%u", load.open - load.reading);
        finish();
    } else if (strncmp(line, "resume", 6) == 0) {
        reset(SETTLE);
        int64_t goal = newest(load.began_us);
        load.wanted = 0;
        for (uint32_t i = 0; i < load.conns; i++) {
            struct conn *conn = &load.conn[i];
            if (conn->state != UP || !conn->stalled) continue;
            load.wanted++;
            aim(conn, goal);
            conn->began_us = load.began_us;
            if (!conn->missing) load.settled++;
            conn_stall(conn, false);
        }
    } else if (sscanf(line, "herd %lld", &a) == 1) {
        reset(SETTLE);
        load.goal = newest(load.began_us);
        load.wanted = load.conns;
        load.states = 0;
        uint32_t all = load.conns;
        for (uint32_t i = 0; i < all; i++) conn_cut(&load.conn[i]);
        load.conns = 0;
        connect_more(all, (uint32_t)a);
        for (uint32_t i = 0; i < all; i++) load.conn[i].began_us = load.began_us;
    } else if (sscanf(line, "wait %lld", &a) == 1) {
        reset(WAIT);
        load.until_us = load.began_us + a * 1000;
    } else {
        fprintf(stderr, "wsload: unknown command: %s\n", line);
        exit(2);
    }
}

static void commands(void) {
    static char buffer[4096];
    static size_t have;
    ssize_t got = read(0, buffer + have, sizeof buffer - 1 - have);
    if (got <= 0) exit(0);
    have += (size_t)got;
    buffer[have] = 0;
    char *end;
    while (load.op == NONE && (end = strchr(buffer, '\n'))) {
        *end = 0;
        command(buffer);
        have -= (size_t)(end + 1 - buffer);
        memmove(buffer, end + 1, have + 1);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) return fputs("usage: wsload PORT [key=value ...]\n", stderr), 2;
    load.port = (uint16_t)atoi(argv[1]);
    for (int i = 2; i < argc; i++) {
        unsigned n = 0;
        if (sscanf(argv[i], "tours=%u", &n) == 1) load.tours = n;
        else if (sscanf(argv[i], "follow=%u", &n) == 1) load.follow = n;
        else if (sscanf(argv[i], "same=%u", &n) == 1) load.same = n != 0;
        else if (sscanf(argv[i], "sources=%u", &n) == 1) load.sources = n;
        else if (sscanf(argv[i], "socketio=%u", &n) == 1) load.socketio = n != 0;
        else if (strncmp(argv[i], "tokens=", 7) == 0) read_tokens(argv[i] + 7);
        else return fprintf(stderr, "wsload: unknown option: %s\n", argv[i]), 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, 0, &event);
    struct epoll_event events[256];
    for (;;) {
        bool spinning = load.op == MEASURE && load.spin;
        int ready = epoll_wait(load.epoll, events, 256, spinning ? 0 : load.op == NONE ? -1 : 20);
        if (ready < 0 && errno != EINTR) return perror("epoll_wait"), 1;
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) conn_ready(events[i].data.ptr, events[i].events);
            else if (events[i].events & EPOLLHUP) return 0;
            else if (load.op == NONE) commands();
        }
        if (spinning && !ready) sched_yield(); /* the broker and the source live on this core too */
        if (load.op != NONE) tick(now_us());
    }
}
