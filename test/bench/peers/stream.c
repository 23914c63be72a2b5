/* stream-bench: what a path carries when nothing but TCP is in the way.
 *
 *	stream-bench send ADDRESS PORT                        sends to whoever connects, for ever
 *	stream-bench read ADDRESS PORT [size=N] [bs=N]        connects and reads size bytes, bs at a time */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

static struct sockaddr_in address;
static int fd;
static char *buf;

static void die(const char *what) { fail(what, strerror(errno)); }

static void prepare_read(void)
{
	buf = block(bs);
	reserve(size / bs);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		die("connect");
}

static void read_all(void)
{
	for (; done_ops < size / bs; done_ops++) {
		double begin = now();
		ssize_t n;

		for (uint64_t got = 0; got < bs; got += n)
			if ((n = read(fd, buf + got, bs - got)) <= 0)
				die("read");
		took(begin);
	}
	done_bytes = done_ops * bs;
}

/* One receiver after the other: each closes when it has enough. */
static void send_all(void)
{
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
		die("listen");
	signal(SIGPIPE, SIG_IGN);
	puts("stream-bench: listening");
	fflush(stdout);
	buf = block(bs);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while (write(fd, buf, bs) > 0)
			;
		close(fd);
	}
	die("accept");
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"read", prepare_read, read_all}, {0}};

	options(argv + (argc < 4 ? 0 : 4), "send|read ADDRESS PORT [size=N] [bs=N]");
	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
	if (inet_pton(AF_INET, argv[2], &address.sin_addr) != 1)
		fail(argv[2], "no IPv4 address");
	if (!strcmp(argv[1], "send"))
		send_all();
	measure(modes, argv[1]);
	return 0;
}
