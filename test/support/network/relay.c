/*
 * The lines between the sites of a test network: relay DELAY_US NAMESPACE...
 *
 * Makes a TUN device `wan0` in each network namespace, one per site. A packet from one site to 10.x.N.y comes
 * out at site N after DELAY_US microseconds. Reads commands from stdin: `cut N` and `heal N` for the line of site
 * N, `count`, answered by a JSON matrix of the bytes (IP headers included) that went from each site to each. Ends
 * with its stdin, so that it does not outlive its test. See networking/tuntap.txt of Linux's documentation.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SITES = 16, QUEUE = 16384, MTU = 1500 };

struct packet {
  uint64_t due;
  int to;
  ssize_t length;
  unsigned char bytes[MTU];
};

/* The delay is the same for all packets, so that they leave in the order in which they came. */
static struct packet queue[QUEUE];
static unsigned head, tail;
static int sites, device[SITES], is_cut[SITES];
static uint64_t carried[SITES][SITES];

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int open_device(const char *namespace) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int net = open(path, O_RDONLY | O_CLOEXEC);
  if (net < 0 || setns(net, CLONE_NEWNET) < 0) err(1, "%s", path);
  close(net);
  int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  struct ifreq request = {.ifr_name = "wan0", .ifr_flags = IFF_TUN | IFF_NO_PI};
  if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0) err(1, "/dev/net/tun");
  return tun;
}

static void take_from(int from, uint64_t delay) {
  for (;;) {
    struct packet *packet = &queue[tail % QUEUE];
    packet->length = read(device[from], packet->bytes, MTU);
    if (packet->length <= 0) return;
    int is_ipv4 = packet->length >= 20 && packet->bytes[0] >> 4 == 4;
    packet->to = is_ipv4 ? packet->bytes[18] : SITES;
    if (packet->to >= sites || is_cut[from] || is_cut[packet->to] || tail - head == QUEUE - 1) continue;
    packet->due = now() + delay;
    carried[from][packet->to] += packet->length;
    tail += 1;
  }
}

static void deliver(void) {
  for (uint64_t time = now(); head != tail && queue[head % QUEUE].due <= time; head += 1) {
    struct packet *packet = &queue[head % QUEUE];
    if (is_cut[packet->to]) continue;
    /* A full device loses the packet, as a line would. */
    if (write(device[packet->to], packet->bytes, packet->length) < 0) continue;
  }
}

static void count(void) {
  for (int from = 0; from < sites; from += 1) {
    printf(from ? ",[" : "[[");
    for (int to = 0; to < sites; to += 1) printf(to ? ",%llu" : "%llu", (unsigned long long)carried[from][to]);
    printf("]");
  }
  printf("]\n");
}

/* Commands are short and come whole. */
static void obey(void) {
  char text[256];
  ssize_t length = read(0, text, sizeof text - 1);
  if (length <= 0) exit(0);
  text[length] = 0;
  char *rest;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    int site;
    if (sscanf(line, "cut %d", &site) == 1 && site >= 0 && site < sites) is_cut[site] = 1;
    else if (sscanf(line, "heal %d", &site) == 1 && site >= 0 && site < sites) is_cut[site] = 0;
    else if (strcmp(line, "count") == 0) count();
  }
}

int main(int argc, char **argv) {
  if (argc < 3 || argc - 2 > SITES) errx(2, "usage: relay DELAY_US NAMESPACE...");
  uint64_t delay = strtoull(argv[1], NULL, 10) * 1000;
  sites = argc - 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  /* A busy machine must not lengthen the line. */
  setpriority(PRIO_PROCESS, 0, -20);
  prctl(PR_SET_TIMERSLACK, 1);
  struct pollfd polls[SITES + 1];
  for (int site = 0; site < sites; site += 1) {
    device[site] = open_device(argv[2 + site]);
    polls[site] = (struct pollfd){.fd = device[site], .events = POLLIN};
  }
  polls[sites] = (struct pollfd){.fd = 0, .events = POLLIN};
  puts("ready");
  for (;;) {
    struct timespec wait, *limit = NULL;
    if (head != tail) {
      uint64_t time = now(), due = queue[head % QUEUE].due;
      uint64_t rest = due > time ? due - time : 0;
      wait = (struct timespec){rest / 1000000000, rest % 1000000000};
      limit = &wait;
    }
    if (ppoll(polls, sites + 1, limit, NULL) < 0) err(1, "poll");
    deliver();
    for (int site = 0; site < sites; site += 1) {
      if (polls[site].revents) take_from(site, delay);
    }
    if (polls[sites].revents) obey();
  }
}
