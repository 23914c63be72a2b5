#define _GNU_SOURCE
#include "measure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

uint64_t size = 1 << 30, bs = 1 << 20, qd = 1, ops = 100000, files = 10000;
const char *file = "";
uint64_t done_ops, done_bytes;

static float *latencies; /* in microseconds */
static uint64_t room, measured;

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	exit(1);
}

char *block(uint64_t n)
{
	char *p = aligned_alloc(4096, (n + 4095) / 4096 * 4096);

	if (!p)
		fail("block", "no memory");
	memset(p, 'x', n);
	return p;
}

void reserve(uint64_t n)
{
	room = n;
	latencies = (float *)block((n + 1) * sizeof *latencies);
}

void took(double begin)
{
	uint64_t i = __atomic_fetch_add(&measured, 1, __ATOMIC_RELAXED);

	if (i < room)
		latencies[i] = (now() - begin) * 1e6;
}

uint64_t offset_in_order(uint64_t i) { return i * bs; }

uint64_t offset_at_random(uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ull; /* splitmix64: good enough, and the same for all clients */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) % (size / bs) * bs;
}

static int option(char *arg)
{
	static const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {{"size", &size}, {"bs", &bs}, {"qd", &qd}, {"ops", &ops}, {"files", &files}};
	char *value = strchr(arg, '='), *rest;

	if (!value)
		return 0;
	*value++ = 0;
	if (!strcmp(arg, "file")) {
		file = value;
		return 1;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(arg, numbers[i].name)) {
			*numbers[i].value = strtoull(value, &rest, 10);
			return *numbers[i].value > 0 && !*rest;
		}
	return 0;
}

void options(char **argv, const char *usage)
{
	for (; *argv; argv++)
		if (!option(*argv)) {
			fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, usage);
			exit(2);
		}
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

void measure(const struct mode *m, const char *name)
{
	struct rusage before, after;
	double begin, wall;

	for (; m->name && strcmp(m->name, name); m++)
		;
	if (!m->name)
		fail(name, "no such mode");
	if (m->prepare)
		m->prepare();
	getrusage(RUSAGE_SELF, &before);
	begin = now();
	m->run();
	wall = now() - begin;
	getrusage(RUSAGE_SELF, &after);
	if (measured > room)
		measured = room;
	if (!measured || !done_ops)
		fail(name, "there was nothing to measure");
	qsort(latencies, measured, sizeof *latencies, compare);
	printf("{\"mode\":\"%s\",\"seconds\":%.6f,\"bytes\":%" PRIu64 ",\"ops\":%" PRIu64 ",\"mib_s\":%.1f,\"ops_s\":%.1f,"
	       "\"p50_us\":%.1f,\"p99_us\":%.1f,\"cpu_user_s\":%.6f,\"cpu_sys_s\":%.6f}\n",
	       name, wall, done_bytes, done_ops, done_bytes / wall / (1 << 20), done_ops / wall, latencies[measured / 2],
	       latencies[measured * 99 / 100], seconds(after.ru_utime) - seconds(before.ru_utime),
	       seconds(after.ru_stime) - seconds(before.ru_stime));
}
