/* The client's life: one completion queue and its thread for all channels of a process. */
#include "rt/rpc_client.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/client_internal.h"
#include "rpc/grpc_library.h"
#include "rpc/handoff.h"
#include "rpc/tls_files.h"
#include "rt/assert.h"
#include "rt/clock.h"

void rt_client_busy(struct rt_client *client)
{
	if (client->resting)
		pthread_cond_broadcast(&client->changed);
}

/* A thread that waits in gRPC polls for every connection of the process, the server's too, and each
 * event is then handed from one such thread to the other. Who has nothing in flight stays out of
 * it; idle connections are looked after by gRPC's backup poller. */
static void rest(struct rt_client *client)
{
	RT_LOCKED(&client->lock);
	client->resting = true;
	while (client->attempts == NULL && !client->stopping)
		rt_lock_wait(&client->lock, &client->changed, RT_NO_DEADLINE);
	client->resting = false;
}

static void *serve_queue(void *argument)
{
	struct rt_client *client = argument;
	for (;;) {
		rest(client);
		grpc_event event = grpc_completion_queue_next(
			client->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type != GRPC_OP_COMPLETE)
			continue;
		struct rt_client_tag *tag = event.tag;
		rt_handoff_take(tag);
		if (tag->kind == RT_CLIENT_ATTEMPT)
			rt_attempt_event((struct rt_attempt *)tag);
		else if (tag->kind == RT_CLIENT_MESSAGE)
			rt_attempt_message_event(tag);
		else
			rt_attempt_sent_event(tag);
	}
}

struct rt_status rt_client_new(const struct rt_tls *tls, struct rt_client **result)
{
	rt_grpc_start();
	struct rt_tls_files *certificates;
	struct rt_status status = rt_tls_files_new(tls, RT_TLS_CLIENT, &certificates);
	if (!rt_is_ok(&status)) {
		rt_grpc_stop();
		return status;
	}
	struct rt_client *client = calloc(1, sizeof(*client));
	RT_ASSERT(client != NULL);
	client->trust_domain = strdup(tls->trust_domain);
	RT_ASSERT(client->trust_domain != NULL);
	client->certificates = certificates;
	client->queue = grpc_completion_queue_create_for_next(NULL);
	rt_lock_init(&client->lock, RT_RANK_CLIENT);
	rt_condition_init(&client->changed);
	int failed = pthread_create(&client->thread, NULL, serve_queue, client);
	RT_ASSERT(failed == 0);
	pthread_setname_np(client->thread, "rt-client");
	*result = client;
	return status;
}

void rt_client_stop(struct rt_client *client)
{
	rt_lock_take(&client->lock);
	bool first = !client->stopping;
	client->stopping = true;
	rt_client_busy(client);
	rt_attempts_cancel(client);
	while (client->attempts != NULL)
		rt_lock_wait(&client->lock, &client->changed, RT_NO_DEADLINE);
	rt_lock_give(&client->lock);
	if (!first)
		return;
	grpc_completion_queue_shutdown(client->queue);
	pthread_join(client->thread, NULL);
}

void rt_client_destroy(struct rt_client *client)
{
	if (client == NULL)
		return;
	grpc_completion_queue_destroy(client->queue);
	rt_tls_files_destroy(client->certificates);
	pthread_cond_destroy(&client->changed);
	rt_lock_deinit(&client->lock);
	free(client->trust_domain);
	free(client);
	rt_grpc_stop();
}
