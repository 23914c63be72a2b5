#define _GNU_SOURCE
#include "conn.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wire.h"

#define IN_SIZE (16u << 10)
#define OUT_SIZE (2 * MAX_REPLY)
#define COPIED (16u << 10) /* payload up to here is copied behind its head: cheaper than a system call of its own */

struct conn {
	int fd;
	uint8_t *in, *out;
	size_t at, end; /* what of in was read and not used yet */
	size_t queued;  /* bytes in out */
};

static uint8_t *pattern; /* PATTERN bytes, and the first COPIED again */

void conn_init(void)
{
	pattern = malloc(PATTERN + COPIED);
	if (!pattern)
		abort();
	for (uint64_t o = 0; o < PATTERN + COPIED; o += 8) {
		uint64_t word = htole64(o % PATTERN);

		memcpy(pattern + o, &word, sizeof word);
	}
}

static int flush(struct conn *c)
{
	for (size_t o = 0; o < c->queued;) {
		ssize_t n = send(c->fd, c->out + o, c->queued - o, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		o += n;
	}
	c->queued = 0;
	return 0;
}

/* Makes n bytes of input available at c->at. Before it waits, replies are sent. */
static int need(struct conn *c, size_t n)
{
	if (c->end - c->at >= n)
		return 0;
	memmove(c->in, c->in + c->at, c->end - c->at);
	c->end -= c->at;
	c->at = 0;
	while (c->end < n) {
		ssize_t r;

		if (flush(c))
			return -1;
		r = recv(c->fd, c->in + c->end, IN_SIZE - c->end, 0);
		if (r <= 0)
			return -1;
		c->end += r;
	}
	return 0;
}

/* Drops n bytes of input. What was not read yet is thrown away in the kernel (tcp(7), MSG_TRUNC), and never copied. */
static int skip(struct conn *c, size_t n)
{
	size_t have = c->end - c->at;

	if (n <= have) {
		c->at += n;
		return 0;
	}
	n -= have;
	c->at = c->end = 0;
	if (n > 65536 && flush(c)) /* the peer may wait for replies before it sends so much */
		return -1;
	while (n) {
		ssize_t r = recv(c->fd, NULL, n, MSG_TRUNC | MSG_WAITALL);

		if (r <= 0)
			return -1;
		n -= r;
	}
	return 0;
}

/* Sends what is queued and then n bytes of the pattern from offset on, padded, in one call where the socket takes it. (sendfile
 * from a memfd was tried: it sends fragments of 4 KiB, which cost the receiver 2.8 times the CPU.) */
static int send_payload(struct conn *c, size_t n, uint64_t offset)
{
	struct iovec v[3 + (1 << 20) / PATTERN + 2] = {{c->out, c->queued}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 1};
	size_t from = offset % PATTERN, pad = padding(n);

	for (; n; from = 0) {
		size_t part = PATTERN - from < n ? PATTERN - from : n;

		v[m.msg_iovlen++] = (struct iovec){pattern + from, part};
		n -= part;
	}
	if (pad)
		v[m.msg_iovlen++] = (struct iovec){"\0\0\0", pad};
	c->queued = 0;
	while (m.msg_iovlen) {
		ssize_t r = sendmsg(c->fd, &m, MSG_NOSIGNAL);

		if (r <= 0)
			return -1;
		while (m.msg_iovlen && (size_t)r >= m.msg_iov->iov_len) {
			r -= m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen) {
			m.msg_iov->iov_base = (uint8_t *)m.msg_iov->iov_base + r;
			m.msg_iov->iov_len -= r;
		}
	}
	return 0;
}

/* Answers one call. */
static int serve_record(struct conn *c, handler *handle)
{
	uint8_t *mark, *end;
	size_t payload = 0;
	uint64_t offset = 0;
	uint32_t length, head;

	if (need(c, 4))
		return -1;
	length = get32(c->in + c->at);
	if (!(length >> 31)) /* all clients here send a call as one fragment */
		return -1;
	length &= 0x7fffffff;
	head = length < MAX_HEAD ? length : MAX_HEAD;
	if (need(c, 4 + head))
		return -1;
	if (c->queued > OUT_SIZE - MAX_REPLY && flush(c))
		return -1;
	mark = c->out + c->queued;
	end = handle(c->in + c->at + 4, c->in + c->at + 4 + head, mark + 4, &payload, &offset);
	if (!end)
		return -1;
	if (payload && payload <= COPIED) {
		memcpy(end, pattern + offset % PATTERN, payload);
		memset(end + payload, 0, padding(payload));
		end += payload + padding(payload);
		payload = 0;
	}
	put32(mark, 1u << 31 | (uint32_t)(end - mark - 4 + payload + padding(payload)));
	c->queued = end - c->out;
	if (skip(c, 4 + (size_t)length))
		return -1;
	return payload ? send_payload(c, payload, offset) : 0;
}

void conn_serve(int fd, handler *handle)
{
	struct conn c = {.fd = fd, .in = malloc(IN_SIZE), .out = malloc(OUT_SIZE)};

	if (!c.in || !c.out)
		abort();
	while (!serve_record(&c, handle))
		;
	close(fd);
	free(c.in);
	free(c.out);
}
