/* file-bench: reads and writes a file of a mounted file system, as any program does.
 *
 *	file-bench MODE PATH [size=N] [bs=N] [qd=N] [ops=N]
 *
 * MODE is read, write (its close is measured, too), randread, or list, which reads a directory; the line of JSON that it
 * prints is that of gonfs bench. qd threads share the calls. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

static int fd, writing;
static uint64_t (*offset)(uint64_t);
static uint64_t next, total;

static void die(const char *what) { fail(what, strerror(errno)); }

static void prepare_calls(int flags, uint64_t n)
{
	total = n;
	reserve(n);
	fd = open(file, flags, 0600);
	if (fd < 0)
		die(file);
}

static void prepare_read(void)
{
	offset = offset_in_order;
	prepare_calls(O_RDONLY, size / bs);
}

static void prepare_write(void)
{
	writing = 1;
	offset = offset_in_order;
	prepare_calls(O_WRONLY | O_CREAT, size / bs);
}

static void prepare_randread(void)
{
	offset = offset_at_random;
	prepare_calls(O_RDONLY, ops);
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
}

static void *calls(void *buf)
{
	uint64_t i;

	while ((i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < total) {
		double begin = now();
		ssize_t n = writing ? pwrite(fd, buf, bs, offset(i)) : pread(fd, buf, bs, offset(i));

		if (n < 0)
			die(file);
		if ((uint64_t)n != bs)
			fail(file, "is too short");
		took(begin);
	}
	return NULL;
}

static void transfer(void)
{
	pthread_t *threads = calloc(qd, sizeof *threads);

	if (!threads)
		die("threads");
	for (uint64_t i = 1; i < qd; i++)
		if (pthread_create(&threads[i], NULL, calls, block(bs)))
			die("threads");
	calls(block(bs));
	for (uint64_t i = 1; i < qd; i++)
		pthread_join(threads[i], NULL);
	if (close(fd))
		die("close");
	done_ops = total;
	done_bytes = total * bs;
}

static void prepare_list(void) { reserve(1); }

static void list(void)
{
	DIR *d = opendir(file);
	double begin = now();
	struct dirent *e;

	if (!d)
		die(file);
	for (errno = 0; (e = readdir(d)); errno = 0)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			done_ops++;
	if (errno)
		die(file);
	closedir(d);
	took(begin);
}

static const struct mode modes[] = {
	{"read", prepare_read, transfer},
	{"write", prepare_write, transfer},
	{"randread", prepare_randread, transfer},
	{"list", prepare_list, list},
	{0},
};

int main(int argc, char **argv)
{
	options(argv + (argc < 3 ? 0 : 3), "MODE PATH [size=N] [bs=N] [qd=N] [ops=N]");
	file = argv[2];
	measure(modes, argv[1]);
	return 0;
}
