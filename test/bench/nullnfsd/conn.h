/* One TCP connection: records come in, replies are gathered and go out in as few calls as can be. */
#ifndef CONN_H
#define CONN_H

#include <stddef.h>
#include <stdint.h>

/* The source of all payload: word w of a file (8 bytes, little-endian) holds its own offset modulo PATTERN, so a client can
 * check what it got. It is small so that it stays in the L2 cache: a source of 64 MiB made the server 2.5 times slower. */
#define PATTERN (264u << 10)

/* The largest head of a call that is looked at: all but the data of a WRITE. */
#define MAX_HEAD 4096u

/* Room that is left for a reply: the largest is a READDIRPLUS of 1 MiB. */
#define MAX_REPLY (2u << 20)

struct conn;

/* Serves fd until the peer closes it or sends nonsense, then closes it. handle answers the call in [head, end) and returns the end
 * of the reply that it wrote to out, or NULL to close; it may set *payload to have so many bytes of the pattern sent behind it, as
 * the file's bytes from *offset on. */
typedef uint8_t *handler(const uint8_t *head, const uint8_t *end, uint8_t *out, size_t *payload, uint64_t *offset);

void conn_serve(int fd, handler *handle);

/* To be called once before. */
void conn_init(void);

#endif
