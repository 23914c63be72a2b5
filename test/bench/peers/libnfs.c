/* libnfs-bench: what gonfs bench measures, done with Debian's libnfs 4.0.
 *
 *	libnfs-bench MODE URL [size=N] [bs=N] [qd=N] [ops=N] [files=N] [file=NAME]
 *
 * MODE and the line of JSON that it prints are those of gonfs bench. Reads and writes are made with the asynchronous calls and qd of
 * them under way, which is libnfs's fastest way. The others are made one by one, as its own utilities make them. file names what is
 * read, written or listed and must be there, but for write. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsc/libnfs.h>

#include "measure.h"

static struct nfs_context *nfs;
static struct nfsfh *fh;

static void die(const char *what) { fail(what, nfs_get_error(nfs)); }

/* The calls that are under way. */
struct call {
	double begin;
	char *buf;
};

static int writing;
static uint64_t (*offset)(uint64_t);
static uint64_t issued, returned, total;
static struct call *calls;

static void answered(int n, struct nfs_context *unused, void *data, void *private);

static void issue(struct call *c)
{
	uint64_t at = offset(issued++);

	c->begin = now();
	if (writing ? nfs_pwrite_async(nfs, fh, at, bs, c->buf, answered, c) : nfs_pread_async(nfs, fh, at, bs, answered, c))
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

static void prepare_calls(uint64_t n)
{
	total = n;
	reserve(n);
	calls = calloc(qd, sizeof *calls);
	if (!calls)
		die("no memory");
	for (uint64_t i = 0; i < qd; i++)
		calls[i].buf = block(bs);
	if (writing ? nfs_creat(nfs, file, 0600, &fh) : nfs_open(nfs, file, O_RDONLY, &fh))
		die(file);
}

static void prepare_read(void)
{
	offset = offset_in_order;
	prepare_calls(size / bs);
}

static void prepare_write(void)
{
	writing = 1;
	prepare_read();
}

static void prepare_randread(void)
{
	offset = offset_at_random;
	prepare_calls(ops);
}

static void transfer(void)
{
	for (uint64_t i = 0; i < qd && issued < total; i++)
		issue(&calls[i]);
	while (returned < total) {
		struct pollfd p = {.fd = nfs_get_fd(nfs), .events = nfs_which_events(nfs)};

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			fail("poll", strerror(errno));
		if (nfs_service(nfs, p.revents) < 0)
			die("service");
	}
	if (writing && nfs_fsync(nfs, fh))
		die("fsync");
	done_ops = total;
	done_bytes = total * bs;
}

static void prepare_getattr(void)
{
	reserve(ops);
	if (nfs_open(nfs, file, O_RDONLY, &fh))
		die(file);
}

static void getattr(void)
{
	struct nfs_stat_64 st;

	for (; done_ops < ops; done_ops++) {
		double begin = now();

		if (nfs_fstat64(nfs, fh, &st))
			die("fstat");
		took(begin);
	}
}

/* next_entry skips what every directory has. */
static struct nfsdirent *next_entry(struct nfsdir *d)
{
	struct nfsdirent *e;

	do
		e = nfs_readdir(nfs, d);
	while (e && (!strcmp(e->name, ".") || !strcmp(e->name, "..")));
	return e;
}

static char (*names)[256];

static void prepare_lookup(void)
{
	struct nfsdirent *e;
	struct nfsdir *d;
	uint64_t n = 0;

	names = calloc(files, sizeof *names);
	if (!names || nfs_opendir(nfs, file, &d))
		die(file);
	while ((e = next_entry(d)) && n < files)
		snprintf(names[n++], sizeof *names, "%s", e->name);
	files = n;
	nfs_closedir(nfs, d);
	if (nfs_chdir(nfs, file)) /* so that a name is one LOOKUP and not two */
		die("chdir");
	reserve(files);
}

static void lookup(void)
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

static void readdir(void)
{
	struct nfsdir *d;
	double begin = now();

	if (nfs_opendir(nfs, file, &d))
		die(file);
	while (next_entry(d))
		done_ops++;
	nfs_closedir(nfs, d);
	took(begin);
}

static char *data;

static void prepare_smallfiles(void)
{
	data = block(bs);
	reserve(files);
}

static void smallfiles(void)
{
	char name[32];

	for (; done_ops < files; done_ops++) {
		double begin = now();

		snprintf(name, sizeof name, "/s%08" PRIu64, done_ops);
		if (nfs_creat(nfs, name, 0600, &fh))
			die("creat");
		if (nfs_pwrite(nfs, fh, 0, bs, data) != (int)bs)
			die("pwrite");
		if (nfs_close(nfs, fh))
			die("close");
		if (nfs_unlink(nfs, name))
			die("unlink");
		took(begin);
	}
	done_bytes = done_ops * bs;
}

static const struct mode modes[] = {
	{"getattr", prepare_getattr, getattr},
	{"lookup", prepare_lookup, lookup},
	{"read", prepare_read, transfer},
	{"write", prepare_write, transfer},
	{"randread", prepare_randread, transfer},
	{"readdir", prepare_readdir, readdir},
	{"smallfiles", prepare_smallfiles, smallfiles},
	{0},
};

int main(int argc, char **argv)
{
	struct nfs_url *url;

	options(argv + (argc < 3 ? 0 : 3), "MODE URL [size=N] [bs=N] [qd=N] [ops=N] [files=N] [file=NAME]");
	nfs = nfs_init_context();
	url = nfs ? nfs_parse_url_dir(nfs, argv[2]) : NULL;
	if (!url || nfs_mount(nfs, url->server, url->path))
		die(argv[2]);
	measure(modes, argv[1]);
	nfs_destroy_context(nfs);
	return 0;
}
