/* A proxy on 127.0.0.1 that loses what it is told to lose. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define CONNECTIONS_MAX 64

enum link_state { LINK_PASSES, LINK_CUTS_WHEN_ANSWERED, LINK_STALLS };

struct link {
	int client;
	int server;
	enum link_state state;
};

struct proxy {
	int listener;
	int port;
	int server_port;
	atomic_bool ended;
	pthread_t thread;
	pthread_mutex_t lock;
	char watch[64];
	enum proxy_act act;
	size_t link_count;
	struct link links[CONNECTIONS_MAX];
};

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void send_all(int to, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(to, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

static void cut(struct link *link)
{
	if (link->client >= 0)
		close(link->client);
	if (link->server >= 0)
		close(link->server);
	link->client = link->server = -1;
}

static enum proxy_act act_on(struct proxy *proxy, const char *bytes, size_t length)
{
	enum proxy_act act = PROXY_PASS;
	pthread_mutex_lock(&proxy->lock);
	size_t watched = strlen(proxy->watch);
	if (proxy->act != PROXY_PASS && memmem(bytes, length, proxy->watch, watched) != NULL) {
		act = proxy->act;
		proxy->act = PROXY_PASS;
	}
	pthread_mutex_unlock(&proxy->lock);
	return act;
}

static void from_client(struct proxy *proxy, struct link *link)
{
	char bytes[65536];
	ssize_t got = recv(link->client, bytes, sizeof(bytes), 0);
	if (got <= 0) {
		cut(link);
		return;
	}
	switch (act_on(proxy, bytes, (size_t)got)) {
	case PROXY_CUT:
		cut(link);
		return;
	case PROXY_DELIVER_AND_CUT:
		link->state = LINK_CUTS_WHEN_ANSWERED;
		break;
	case PROXY_STALL:
		link->state = LINK_STALLS;
		break;
	case PROXY_PASS:
		break;
	}
	send_all(link->server, bytes, (size_t)got);
}

static void from_server(struct link *link)
{
	char bytes[65536];
	ssize_t got = recv(link->server, bytes, sizeof(bytes), 0);
	if (got <= 0 || link->state == LINK_CUTS_WHEN_ANSWERED)
		cut(link);
	else if (link->state == LINK_PASSES)
		send_all(link->client, bytes, (size_t)got);
}

static void accept_link(struct proxy *proxy)
{
	int client = accept(proxy->listener, NULL, NULL);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = local(proxy->server_port);
	int yes = 1;
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	struct link link = {.client = client, .server = server};
	if (proxy->link_count == CONNECTIONS_MAX ||
	    connect(server, (const struct sockaddr *)&address, sizeof(address)) != 0)
		cut(&link);
	else
		proxy->links[proxy->link_count++] = link;
}

static void *run(void *argument)
{
	struct proxy *proxy = argument;
	while (!atomic_load(&proxy->ended)) {
		struct pollfd waits[1 + 2 * CONNECTIONS_MAX];
		size_t links = proxy->link_count;
		waits[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
		for (size_t i = 0; i < links; i++) {
			waits[1 + 2 * i] =
				(struct pollfd){.fd = proxy->links[i].client, .events = POLLIN};
			waits[2 + 2 * i] =
				(struct pollfd){.fd = proxy->links[i].server, .events = POLLIN};
		}
		if (poll(waits, 1 + 2 * links, 50) <= 0)
			continue;
		for (size_t i = 0; i < links; i++) {
			if (waits[1 + 2 * i].revents != 0 && proxy->links[i].client >= 0)
				from_client(proxy, &proxy->links[i]);
			if (waits[2 + 2 * i].revents != 0 && proxy->links[i].server >= 0)
				from_server(&proxy->links[i]);
		}
		if (waits[0].revents != 0)
			accept_link(proxy);
	}
	return NULL;
}

struct proxy *proxy_new(int server_port)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	assert_non_null(proxy);
	proxy->server_port = server_port;
	proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = local(0);
	socklen_t length = sizeof(address);
	assert_int_equal(bind(proxy->listener, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(proxy->listener, 64), 0);
	assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&address, &length), 0);
	proxy->port = ntohs(address.sin_port);
	pthread_mutex_init(&proxy->lock, NULL);
	assert_int_equal(pthread_create(&proxy->thread, NULL, run, proxy), 0);
	return proxy;
}

void proxy_destroy(struct proxy *proxy)
{
	atomic_store(&proxy->ended, true);
	pthread_join(proxy->thread, NULL);
	for (size_t i = 0; i < proxy->link_count; i++)
		cut(&proxy->links[i]);
	close(proxy->listener);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}

int proxy_port(const struct proxy *proxy)
{
	return proxy->port;
}

void proxy_set(struct proxy *proxy, const char *watch, enum proxy_act act)
{
	pthread_mutex_lock(&proxy->lock);
	strncpy(proxy->watch, watch, sizeof(proxy->watch) - 1);
	proxy->act = act;
	pthread_mutex_unlock(&proxy->lock);
}
