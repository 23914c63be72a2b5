/* What the benchmark programs in C share: their options, the clock, and the line of JSON that they print, which is that of
 * gonfs bench --json. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

/* From the command line: NAME=N, and file=NAME. */
extern uint64_t size, bs, qd, ops, files;
extern const char *file;

/* What was done in the measured part: set by run. */
extern uint64_t done_ops, done_bytes;

/* One way to measure: prepare (NULL for nothing) is not measured. */
struct mode {
	const char *name;
	void (*prepare)(void), (*run)(void);
};

/* Seconds of a clock that never jumps. */
double now(void);

/* Makes room for the latencies of n calls; in prepare, so that its pages are not part of what is measured. */
void reserve(uint64_t n);

/* Records the latency of a call that began at begin. */
void took(double begin);

/* The offset of call number i: one block after the other, or random. */
uint64_t offset_in_order(uint64_t i);
uint64_t offset_at_random(uint64_t i);

/* Returns bytes that are not zero, whose pages are there. */
char *block(uint64_t n);

/* Ends the program with a message. */
_Noreturn void fail(const char *what, const char *why);

/* Reads the options from argv on; usage says what they are. */
void options(char **argv, const char *usage);

/* Measures the mode of that name and prints the result. A table of modes ends with one without a name. */
void measure(const struct mode *modes, const char *name);

#endif
