/* The floor that the kernel sets: a WebSocket server that does nothing but send() each fact to each client.

   floor PORT; facts are asked for on standard input, `go FIRST COUNT START_US RATE`: fact n is about tour n % TOURS and
   is due at START + (n - FIRST) / RATE on CLOCK_MONOTONIC. The handshake's answer is a constant, for the one key that
   wsload sends. A client whose socket takes no more misses the fact.
*/
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static int clients[20000], many;
static int place[20000]; /* by descriptor: 1 + its place in `clients` */
static long long first, count, start_us, next;
static double rate;

static long long due(long long fact) { return start_us + (long long)((double)(fact - first) * 1e6 / rate); }

static void leave(int fd) {
    if (place[fd]) {
        int last = clients[--many];
        clients[place[fd] - 1] = last;
        place[last] = place[fd];
        place[fd] = 0;
    }
    close(fd);
}

static void broadcast(long long fact, int tours) {
    char frame[512];
    struct timespec now;
    struct tm date;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    char moment[32];
    strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%S", &date);
    int size = snprintf(frame + 4, sizeof frame - 4,
        "{\"type\":\"AVAILABILITY_UPDATE\",\"tourId\":\"t%05lld\",\"availableSeats\":%lld,\"timestamp\":\"%s.%03ldZ\","
        "\"tourName\":\"Tour %lld\",\"capacity\":1000,\"held\":0,\"version\":%lld}",
        fact % tours, fact % 1000, moment, now.tv_nsec / 1000000, fact % tours, fact);
    frame[0] = (char)0x81, frame[1] = 126, frame[2] = (char)(size >> 8), frame[3] = (char)size;
    for (int i = 0; i < many; i++) send(clients[i], frame, (size_t)size + 4, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int main(int argc, char **argv) {
    if (argc < 3) return fputs("usage: floor PORT TOURS\n", stderr), 2;
    int tours = atoi(argv[2]), on = 1;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 20000 ? files.rlim_max : 20000;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) return perror("bind"), 1;
    int poll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int own[] = {0, listener, timer};
    for (int i = 0; i < 3; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = own[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, own[i], &event);
    }
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            char data[4096];
            int fd = events[i].data.fd;
            if (fd == 0) {
                ssize_t got = read(0, data, sizeof data - 1);
                if (got <= 0) return 0;
                data[got] = 0;
                if (sscanf(data, "go %lld %lld %lld %lf", &first, &count, &start_us, &rate) != 4) return 2;
                next = first;
            } else if (fd == listener) {
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
                    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
                }
            } else if (fd == timer) {
                struct timespec now;
                clock_gettime(CLOCK_MONOTONIC, &now);
                long long us = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
                while (next < first + count && due(next) <= us) broadcast(next++, tours);
            } else {
                ssize_t got = recv(fd, data, sizeof data, 0);
                if (got <= 0) leave(fd);
                else if (!place[fd] && memcmp(data, "GET ", 4) == 0) {
                    send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
                    clients[many++] = fd;
                    place[fd] = many;
                }
            }
        }
        if (next < first + count) {
            long long at = due(next);
            struct itimerspec wake = {.it_value = {at / 1000000, at % 1000000 * 1000}};
            timerfd_settime(timer, TFD_TIMER_ABSTIME, &wake, NULL);
        } else {
            struct itimerspec never = {0};
            timerfd_settime(timer, 0, &never, NULL);
        }
    }
}
