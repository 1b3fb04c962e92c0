/* Whether targets serve: asks all of them at once by grpc.health.v1, and waits for their answers.
 */
#include <pthread.h>

#include "grpc/health/v1/health.pb-c.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/rpc_client.h"

#define TARGETS_MAX 8

static const struct rt_remote check = {
	.service = "grpc.health.v1.Health",
	.name = "Check",
	.reply = &grpc__health__v1__health_check_response__descriptor,
	.repeatable = true,
};

/* A thread that waits for all of its questions. */
struct inquiry {
	struct rt_lock lock;
	pthread_cond_t ended;
	size_t open;
};

struct question {
	struct inquiry *inquiry;
	struct rt_status *answer;
};

/* A target that knows nothing of health has answered, and nobody can say more. */
static struct rt_status answer_of(const struct rt_status *status, const ProtobufCMessage *reply)
{
	if (status->code == RT_UNIMPLEMENTED)
		return rt_ok();
	if (!rt_is_ok(status))
		return *status;
	if (((const Grpc__Health__V1__HealthCheckResponse *)reply)->status !=
	    GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING)
		return RT_FAIL(UNAVAILABLE, "NOT_SERVING", "it says that it does not serve");
	return rt_ok();
}

static void answered(void *context, struct rt_status status, const ProtobufCMessage *reply)
{
	const struct question *question = context;
	struct inquiry *inquiry = question->inquiry;
	*question->answer = answer_of(&status, reply);
	rt_lock_take(&inquiry->lock);
	inquiry->open--;
	pthread_cond_signal(&inquiry->ended);
	rt_lock_give(&inquiry->lock);
}

static void wait_for_all(struct inquiry *inquiry)
{
	rt_lock_take(&inquiry->lock);
	while (inquiry->open > 0)
		rt_lock_wait(&inquiry->lock, &inquiry->ended, RT_NO_DEADLINE);
	rt_lock_give(&inquiry->lock);
}

void rt_channels_check(struct rt_channel *const *channels, size_t count, int64_t deadline_mono_us,
		       struct rt_status *answers)
{
	RT_ASSERT(count <= TARGETS_MAX);
	struct question questions[TARGETS_MAX];
	struct inquiry inquiry = {.open = count};
	const struct rt_call_options options = {.deadline_mono_us = deadline_mono_us,
						.wait_for_ready = true};
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	rt_lock_init(&inquiry.lock, RT_RANK_QUEUE);
	rt_condition_init(&inquiry.ended);
	for (size_t i = 0; i < count; i++) {
		questions[i] = (struct question){&inquiry, &answers[i]};
		rt_channel_start(channels[i], &check, &request.base, &options, answered,
				 &questions[i]);
	}
	wait_for_all(&inquiry);
	pthread_cond_destroy(&inquiry.ended);
	rt_lock_deinit(&inquiry.lock);
}

struct rt_status rt_channel_check(struct rt_channel *channel, int64_t deadline_mono_us)
{
	struct rt_status answer = rt_ok();
	rt_channels_check(&channel, 1, deadline_mono_us, &answer);
	return answer;
}
