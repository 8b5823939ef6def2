/* One connection of wsload: handshake, frames, what is counted of them. */
#include "wsload.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455's example, and what must be answered to it */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define BUFFER (256 * 1024)

void read_tokens(const char *file) {
    FILE *in = fopen(file, "r");
    if (!in) { perror(file); exit(2); }
    char *line = NULL;
    size_t size = 0;
    ssize_t got;
    while ((got = getline(&line, &size, in)) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        load.token = realloc(load.token, (load.tokens + 1) * sizeof *load.token);
        load.token[load.tokens++] = strdup(line);
    }
    free(line);
    fclose(in);
}

static void watch(struct conn *conn, int op, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = conn};
    if (epoll_ctl(load.epoll, op, conn->fd, &event) < 0) { perror("epoll_ctl"); exit(1); }
}

static void send_frame(struct conn *conn, uint8_t opcode, const char *data, size_t size) {
    char frame[6 + 125] = {(char)(0x80 | opcode), (char)(0x80 | size)}; /* masked, with a key of zeros */
    memcpy(frame + 6, data, size);
    if (send(conn->fd, frame, 6 + size, MSG_NOSIGNAL) < 0) load.malformed++;
}

static void close_now(struct conn *conn) {
    /* Reset rather than closed: no port is left waiting for the other end. */
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(conn->fd);
    if (conn->state == UP) {
        load.open--;
        if (!conn->stalled) load.reading--;
    }
    conn->state = CLOSED;
    conn->rest_size = 0;
    conn->stalled = false;
}

static void lost(struct conn *conn) {
    if (conn->state == UP) {
        load.lost++;
    } else {
        load.failed++;
        load.inflight--;
    }
    close_now(conn);
}

static void up(struct conn *conn) {
    int64_t now = now_us();
    conn->state = UP;
    load.open++;
    load.reading++;
    load.inflight--;
    load.ups++;
    if (load.op == CONNECT) hist_add(now - conn->began_us, 1);
}

static void settled(struct conn *conn, int64_t now) {
    load.settled++;
    load.last_us = now;
    hist_add(now - conn->began_us, 1);
}

static void update(struct conn *conn, uint32_t tour, int64_t version, bool initial, int64_t now) {
    int64_t *seen = &conn->seen[tour];
    if (version < *seen) {
        if (version + 1 < *seen) load.back++;
        else load.duplicates++;
    } else {
        if (conn->missing && load.op == SETTLE) {
            int64_t goal = goal_of(tour);
            if (goal >= *seen && goal <= version && !--conn->missing) settled(conn, now);
        }
        *seen = version + 1;
    }
    if (initial) {
        conn->states++;
    } else if (load.op == MEASURE && version >= load.first && version < load.first + load.count) {
        load.received++;
        hist_add(now - load.start_us - (int64_t)((double)(version - load.first) * 1e6 / load.rate), 1);
        load.last_us = now;
    } else if (load.op != MEASURE) {
        load.received++;
    }
}

/* Read {"type":"AVAILABILITY_UPDATE","tourId":"t00017",...,"version":12} (or INITIAL_STATE) without parsing the rest. */
static void text(struct conn *conn, const char *data, size_t size, int64_t now) {
    const char *object = size && *data == '{' ? data : memchr(data, '{', size < 64 ? size : 64);
    if (load.socketio && memcmp(data, "42", 2) != 0) { /* engine.io: open, ping; socket.io: connected */
        if (*data == '0') send_frame(conn, 1, "40", 2);
        else if (*data == '2') send_frame(conn, 1, "3", 1), load.pings++;
        else if (memcmp(data, "40", 2) == 0) conn->state = GREETED;
        return;
    }
    const char *end = data + size;
    if (!object || end - object < 16) { load.malformed++; return; }
    bool initial = object[9] == 'I';
    if (!initial && memcmp(object + 9, "AVAIL", 5) != 0) return;
    if (end - object < 48) { load.malformed++; return; }
    const char *at = object + (initial ? 35 : 41);
    if (memcmp(at - 10, "tourId\":\"t", 10) != 0) { load.malformed++; return; }
    uint32_t tour = 0;
    while (*at >= '0' && *at <= '9') tour = tour * 10 + (uint32_t)(*at++ - '0');
    const char *last = end - 1;
    while (last > at && (*last == '}' || *last == ']')) last--;
    int64_t version = 0, unit = 1;
    while (*last >= '0' && *last <= '9') version += unit * (*last-- - '0'), unit *= 10;
    if (memcmp(last - 9, "\"version\":", 10) != 0 || tour >= load.tours) { load.malformed++; return; }
    update(conn, tour, version, initial, now);
}

static size_t frames(struct conn *conn, const char *data, size_t size, int64_t now) {
    size_t at = 0;
    while (size - at >= 2) {
        const unsigned char *frame = (const unsigned char *)data + at;
        size_t head = 2, body = frame[1] & 0x7f;
        if (body == 126) {
            if (size - at < 4) break;
            body = (size_t)frame[2] << 8 | frame[3], head = 4;
        } else if (body == 127) {
            if (size - at < 10) break;
            body = 0, head = 10;
            for (int i = 2; i < 10; i++) body = body << 8 | frame[i];
        }
        if (head + body > BUFFER / 2) { fprintf(stderr, "wsload: a frame of %zu bytes\n", body); exit(1); }
        if (size - at < head + body) break;
        const char *payload = data + at + head;
        at += head + body;
        switch (frame[0]) {
        case 0x81: text(conn, payload, body, now); break;
        case 0x89: load.pings++; send_frame(conn, 0xA, payload, body); break;
        case 0x8A: break;
        case 0x88: return SIZE_MAX;
        default: load.malformed++;
        }
    }
    return at;
}

static bool handshake_done(const char *data, size_t size, size_t *head) {
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end) return true;
    *head = (size_t)(end - data) + 4;
    return memcmp(data, "HTTP/1.1 101", 12) == 0 && memmem(data, *head, ACCEPT, sizeof ACCEPT - 1);
}

static void readable(struct conn *conn) {
    static char buffer[BUFFER];
    memcpy(buffer, conn->rest, conn->rest_size);
    ssize_t got = recv(conn->fd, buffer + conn->rest_size, BUFFER - conn->rest_size, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) lost(conn);
        return;
    }
    int64_t now = now_us();
    load.bytes += (uint64_t)got;
    size_t size = conn->rest_size + (size_t)got, at = 0;
    if (conn->state == HANDSHAKE) {
        if (!handshake_done(buffer, size, &at)) { lost(conn); return; }
        if (at) conn->state = load.socketio ? OPENED : GREETED;
    }
    if (conn->state != HANDSHAKE) {
        size_t used = frames(conn, buffer + at, size - at, now);
        if (used == SIZE_MAX) { lost(conn); return; }
        at += used;
    }
    if (conn->state == GREETED && conn->states >= load.states) up(conn);
    conn->rest_size = (uint32_t)(size - at);
    if (conn->rest_size) {
        conn->rest = realloc(conn->rest, conn->rest_size);
        memcpy(conn->rest, buffer + at, conn->rest_size);
    }
}

static size_t request(struct conn *conn, char *out, size_t room) {
    char query[1024] = "";
    if (load.follow) {
        size_t used = (size_t)snprintf(query, sizeof query, "?tours=");
        uint32_t tour = load.same ? 0 : conn->number * 2654435761u, step = 1 + (load.same ? 0 : conn->number % 97);
        for (uint32_t i = 0; i < load.follow; i++, tour += step)
            used += (size_t)snprintf(query + used, sizeof query - used, "%st%05u", i ? "," : "", tour % load.tours);
    }
    size_t used = (size_t)snprintf(out, room,
        "GET /%s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n",
        load.socketio ? "socket.io/?EIO=4&transport=websocket" : "", query, load.port);
    if (load.tokens)
        used += (size_t)snprintf(out + used, room - used, "Authorization: Bearer %s\r\n",
                                 load.token[conn->number % load.tokens]);
    return used + (size_t)snprintf(out + used, room - used, "\r\n");
}

static void ask(struct conn *conn) {
    char out[4096];
    size_t size = request(conn, out, sizeof out);
    if (send(conn->fd, out, size, MSG_NOSIGNAL) == (ssize_t)size) {
        conn->state = HANDSHAKE;
        watch(conn, EPOLL_CTL_MOD, EPOLLIN);
    } else if (errno != EAGAIN && errno != ENOTCONN) {
        lost(conn);
    }
}

static void open_one(struct conn *conn) {
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) { perror("socket"); exit(1); }
    int on = 1;
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (load.sources) {
        address.sin_addr.s_addr = htonl(0x7f000101u + conn->number % load.sources);
        setsockopt(conn->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
        if (bind(conn->fd, (struct sockaddr *)&address, sizeof address) < 0) { perror("bind"); exit(1); }
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(load.port);
    conn->state = OPENING;
    if (load.op != SETTLE) conn->began_us = now_us();
    watch(conn, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    if (connect(conn->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) lost(conn);
    else ask(conn);
}

static void open_next(void) {
    while (load.to_open && load.inflight < load.most_inflight) {
        load.to_open--;
        load.inflight++;
        open_one(&load.conn[load.conns - load.to_open - 1]);
    }
}

void connect_more(uint32_t count, uint32_t inflight) {
    if (load.conns + count > load.room) {
        if (load.room) { fputs("wsload: connect once, or fewer\n", stderr); exit(2); }
        load.room = count > 20000 ? count : 20000;
        load.conn = calloc(load.room, sizeof *load.conn);
    }
    for (uint32_t i = load.conns; i < load.conns + count; i++) {
        struct conn *conn = &load.conn[i];
        conn->number = i;
        conn->states = 0;
        if (!conn->seen) conn->seen = malloc(load.tours * sizeof *conn->seen);
        memset(conn->seen, 0, load.tours * sizeof *conn->seen);
        conn->missing = 0;
        for (uint32_t tour = 0; load.op == SETTLE && tour < load.tours; tour++)
            conn->missing += goal_of(tour) >= 0;
    }
    load.conns += count;
    load.to_open = count;
    load.most_inflight = inflight;
    load.inflight = 0;
    open_next();
}

void open_failed(void) {
    for (uint32_t i = 0; i < load.conns - load.to_open; i++) {
        if (load.conn[i].state != CLOSED || !load.conn[i].missing) continue;
        load.inflight++;
        open_one(&load.conn[i]);
    }
}

void conn_ready(struct conn *conn, uint32_t events) {
    if (conn->state == CLOSED) return;
    if (conn->state == OPENING) {
        if (events & (EPOLLERR | EPOLLHUP)) lost(conn);
        else if (events & EPOLLOUT) ask(conn);
    } else {
        readable(conn);
    }
    open_next();
}

void conn_stall(struct conn *conn, bool stalled) {
    if (conn->state != UP || conn->stalled == stalled) return;
    conn->stalled = stalled;
    load.reading += stalled ? -1u : 1u;
    watch(conn, stalled ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, EPOLLIN);
}

void conn_cut(struct conn *conn) {
    if (conn->state != CLOSED) close_now(conn);
}
