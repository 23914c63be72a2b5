/* nullnfsd: an NFSv3 server that costs next to nothing, to measure clients against.
 *
 *	nullnfsd [-a ADDRESS] [-p PORT] [-r]
 *
 * It serves ADDRESS (127.0.0.1) over TCP: NFS and MOUNT on PORT (2049), with -r what a mount asks of rpcbind on port 111 as well. tree.h says
 * what files there are. Nothing is stored but names and sizes; READ sends a pattern, WRITE is thrown away unseen. It is in C because
 * it shares the machine with the client that is measured: what the server costs, the client does not get.
 *
 * It prints a line when it listens, and ends by a signal. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nfs3.h"
#include "tree.h"

static void *serve(void *fd)
{
	conn_serve((int)(intptr_t)fd, rpc_answer);
	return NULL;
}

static void *accept_all(void *listener)
{
	int one = 1, fd;
	pthread_t thread;

	while ((fd = accept((int)(intptr_t)listener, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
			close(fd);
		else
			pthread_detach(thread);
	}
	perror("nullnfsd: accept");
	exit(1);
	return NULL;
}

static struct in_addr address;

static void *listen_on(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 128)) {
		fprintf(stderr, "nullnfsd: port %u: ", port);
		perror(NULL);
		exit(1);
	}
	return (void *)(intptr_t)fd;
}

int main(int argc, char **argv)
{
	int c, rpcbind = 0;
	pthread_t thread;
	void *nfs;

	nfs_port = 2049;
	address.s_addr = htonl(INADDR_LOOPBACK);
	while ((c = getopt(argc, argv, "a:p:r")) != -1) {
		if (c == 'a' && inet_pton(AF_INET, optarg, &address) == 1) {
			continue;
		} else if (c == 'p') {
			nfs_port = atoi(optarg);
		} else if (c == 'r') {
			rpcbind = 1;
		} else {
			fprintf(stderr, "usage: nullnfsd [-a ADDRESS] [-p PORT] [-r]\n");
			return 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	conn_init();
	tree_init();
	nfs = listen_on(nfs_port);
	if (rpcbind && pthread_create(&thread, NULL, accept_all, listen_on(111)))
		return 1;
	printf("nullnfsd: listening at %s:%u\n", inet_ntoa(address), nfs_port);
	fflush(stdout);
	accept_all(nfs);
	return 0;
}
