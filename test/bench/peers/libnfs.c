/* libnfs-bench: what gonfs bench measures, done with Debian's libnfs 4.0.
 *
 *	libnfs-bench MODE URL [size=N] [bs=N] [qd=N] [ops=N] [files=N] [file=NAME]
 *
 * MODE and the line of JSON that it prints are those of gonfs bench. Reads and writes are made with the asynchronous calls and qd of
 * them under way, which is libnfs's fastest way; it has none for the others that would be of use here (its own utilities are
 * synchronous, too). file names what is read, written or listed and must be there, except for write. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nfsc/libnfs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct nfs_context *nfs;
static uint64_t size = 1 << 30, bs = 1 << 20, qd = 8, ops = 100000, files = 10000;
static const char *file = "";

/* What was measured. */
static uint64_t done_ops, done_bytes;
static double *latencies; /* in microseconds, of the calls */
static uint64_t measured;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "libnfs-bench: %s: %s\n", what, nfs_get_error(nfs));
	exit(1);
}

static void took(double begin) { latencies[measured++] = (now() - begin) * 1e6; }

static void reserve(uint64_t n)
{
	latencies = malloc((n + 1) * sizeof *latencies);
	if (!latencies)
		abort();
	for (uint64_t i = 0; i <= n; i++) /* its pages are not part of what is measured */
		latencies[i] = 0;
}

/* The rest is about qd asynchronous calls on one file. */
static struct nfsfh *fh;
static int writing, random_order;
static uint64_t issued, returned, total;

struct call {
	double begin;
	char *buf;
};

static uint64_t next_offset(void)
{
	static uint64_t x = 88172645463325252ull; /* xorshift64 */

	if (!random_order)
		return issued * bs;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % (size / bs) * bs;
}

static void answered(int n, struct nfs_context *unused, void *data, void *private);

static void issue(struct call *c)
{
	uint64_t offset = next_offset();

	issued++;
	c->begin = now();
	if (writing ? nfs_pwrite_async(nfs, fh, offset, bs, c->buf, answered, c) : nfs_pread_async(nfs, fh, offset, bs, answered, c))
		die("cannot queue a call");
}

static void answered(int n, struct nfs_context *unused, void *data, void *private)
{
	struct call *c = private;

	(void)unused;
	if (n < 0 || (uint64_t)n != bs)
		die(writing ? "write" : "read");
	if (!writing)
		memcpy(c->buf, data, n); /* data is libnfs's, and gone when we return; a program wants it in memory of its own */
	took(c->begin);
	returned++;
	if (issued < total)
		issue(c);
}

static void transfer(void)
{
	struct call *calls = calloc(qd, sizeof *calls);
	char *memory = malloc(qd * bs);

	if (!calls || !memory)
		abort();
	memset(memory, 'x', qd * bs);
	for (uint64_t i = 0; i < qd && issued < total; i++) {
		calls[i].buf = memory + i * bs;
		issue(&calls[i]);
	}
	while (returned < total) {
		struct pollfd p = {.fd = nfs_get_fd(nfs), .events = nfs_which_events(nfs)};

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			die("poll");
		if (nfs_service(nfs, p.revents) < 0)
			die("service");
	}
	if (writing && nfs_fsync(nfs, fh))
		die("fsync");
	done_ops = total;
	done_bytes = total * bs;
}

/* One mode: prepare is not measured, run is. */
static void prepare_data(void)
{
	total = random_order ? ops : size / bs;
	reserve(total);
	if (writing ? nfs_creat(nfs, file, 0600, &fh) : nfs_open(nfs, file, O_RDONLY, &fh))
		die(file);
}

static void prepare_getattr(void)
{
	reserve(ops);
	if (nfs_open(nfs, file, O_RDONLY, &fh))
		die(file);
}

static void run_getattr(void)
{
	struct nfs_stat_64 st;

	for (; done_ops < ops; done_ops++) {
		double begin = now();

		if (nfs_fstat64(nfs, fh, &st))
			die("fstat");
		took(begin);
	}
}

static char (*names)[256];

static void prepare_lookup(void)
{
	struct nfsdirent *e;
	struct nfsdir *d;
	uint64_t room = 1 << 20;

	names = malloc(room * sizeof *names);
	if (!names || nfs_opendir(nfs, file, &d))
		die(file);
	files = 0;
	while ((e = nfs_readdir(nfs, d)) && files < room)
		if (strcmp(e->name, ".") && strcmp(e->name, ".."))
			snprintf(names[files++], sizeof *names, "%s", e->name);
	nfs_closedir(nfs, d);
	if (nfs_chdir(nfs, file)) /* so that a name is one LOOKUP and not two */
		die("chdir");
	reserve(files);
}

static void run_lookup(void)
{
	struct nfs_stat_64 st;

	for (; done_ops < files; done_ops++) {
		double begin = now();

		if (nfs_lstat64(nfs, names[done_ops], &st))
			die(names[done_ops]);
		took(begin);
	}
}

static void prepare_readdir(void) { reserve(1); }

static void run_readdir(void)
{
	struct nfsdirent *e;
	struct nfsdir *d;
	double begin = now();

	if (nfs_opendir(nfs, file, &d))
		die(file);
	while ((e = nfs_readdir(nfs, d)))
		if (strcmp(e->name, ".") && strcmp(e->name, ".."))
			done_ops++;
	nfs_closedir(nfs, d);
	took(begin);
}

static char *block;

static void prepare_smallfiles(void)
{
	block = malloc(bs);
	if (!block)
		abort();
	memset(block, 'x', bs);
	reserve(files);
}

static void run_smallfiles(void)
{
	char name[32];

	for (; done_ops < files; done_ops++) {
		double begin = now();

		snprintf(name, sizeof name, "/s%08" PRIu64, done_ops);
		if (nfs_creat(nfs, name, 0600, &fh))
			die("creat");
		if (nfs_pwrite(nfs, fh, 0, bs, block) != (int)bs)
			die("pwrite");
		if (nfs_close(nfs, fh))
			die("close");
		if (nfs_unlink(nfs, name))
			die("unlink");
		took(begin);
	}
	done_bytes = done_ops * bs;
}

static const struct mode {
	const char *name;
	int writing, random_order;
	void (*prepare)(void), (*run)(void);
} modes[] = {
	{"getattr", 0, 0, prepare_getattr, run_getattr},
	{"lookup", 0, 0, prepare_lookup, run_lookup},
	{"read", 0, 0, prepare_data, transfer},
	{"write", 1, 0, prepare_data, transfer},
	{"randread", 0, 1, prepare_data, transfer},
	{"readdir", 0, 0, prepare_readdir, run_readdir},
	{"smallfiles", 0, 0, prepare_smallfiles, run_smallfiles},
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static void measure(const struct mode *m)
{
	struct rusage before, after;
	double begin, wall;

	writing = m->writing;
	random_order = m->random_order;
	m->prepare();
	getrusage(RUSAGE_SELF, &before);
	begin = now();
	m->run();
	wall = now() - begin;
	getrusage(RUSAGE_SELF, &after);
	qsort(latencies, measured, sizeof *latencies, compare);
	printf("{\"mode\":\"%s\",\"seconds\":%.6f,\"bytes\":%" PRIu64 ",\"ops\":%" PRIu64 ",\"mib_s\":%.1f,\"ops_s\":%.1f,"
	       "\"p50_us\":%.1f,\"p99_us\":%.1f,\"cpu_user_s\":%.6f,\"cpu_sys_s\":%.6f,\"allocs_per_op\":0}\n",
	       m->name, wall, done_bytes, done_ops, done_bytes / wall / (1 << 20), done_ops / wall, latencies[measured / 2],
	       latencies[measured * 99 / 100], seconds(after.ru_utime) - seconds(before.ru_utime),
	       seconds(after.ru_stime) - seconds(before.ru_stime));
}

static int option(char *arg)
{
	static const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {{"size", &size}, {"bs", &bs}, {"qd", &qd}, {"ops", &ops}, {"files", &files}};
	char *value = strchr(arg, '=');

	if (!value)
		return 0;
	*value++ = 0;
	if (!strcmp(arg, "file")) {
		file = value;
		return 1;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(arg, numbers[i].name)) {
			*numbers[i].value = strtoull(value, NULL, 10);
			return *numbers[i].value > 0;
		}
	return 0;
}

int main(int argc, char **argv)
{
	struct nfs_url *url;

	for (int i = 3; i < argc; i++)
		if (!option(argv[i]))
			argc = 0;
	if (argc < 3) {
		fprintf(stderr, "usage: libnfs-bench MODE URL [size=N] [bs=N] [qd=N] [ops=N] [files=N] [file=NAME]\n");
		return 2;
	}
	nfs = nfs_init_context();
	url = nfs ? nfs_parse_url_dir(nfs, argv[2]) : NULL;
	if (!url || nfs_mount(nfs, url->server, url->path))
		die(argv[2]);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (!strcmp(argv[1], modes[i].name)) {
			measure(&modes[i]);
			nfs_destroy_context(nfs);
			return 0;
		}
	fprintf(stderr, "libnfs-bench: no mode %s\n", argv[1]);
	return 2;
}
