/* Runs a fuzz target where there is no libFuzzer: its seeds, files that are named, and
 * pseudo-random changes of the seeds. Understands libFuzzer's -runs=N and -seed=N; prints the seed.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define INPUT_BYTES_MAX 65536
#define SEEDS_MAX       256
#define CHANGES_MAX     8
#define RUNS_DEFAULT    20000

struct input {
	uint8_t bytes[INPUT_BYTES_MAX];
	size_t length;
};

static uint64_t random_state;

/* Source: splitmix64. */
static uint64_t next_random(void)
{
	uint64_t value = random_state += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static size_t pick(size_t bound)
{
	return (size_t)(next_random() % bound);
}

/* Cuts a piece out, or doubles it. */
static void change_length(struct input *input)
{
	size_t at = pick(input->length), length = 1 + pick(input->length - at);
	size_t rest = input->length - at;
	if (pick(2) == 0) {
		memmove(input->bytes + at, input->bytes + at + length, rest - length);
		input->length -= length;
	} else if (input->length + length <= INPUT_BYTES_MAX) {
		memmove(input->bytes + at + length, input->bytes + at, rest);
		input->length += length;
	}
}

static void change(struct input *input)
{
	static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12};
	if (input->length == 0)
		return;
	uint8_t *byte = &input->bytes[pick(input->length)];
	switch (pick(4)) {
	case 0:
		*byte = (uint8_t)next_random();
		break;
	case 1:
		*byte ^= (uint8_t)(1U << pick(8));
		break;
	case 2:
		*byte = telling[pick(sizeof(telling))];
		break;
	default:
		change_length(input);
	}
}

/* The front of one and the end of another. */
static void cross(struct input *input, const struct input *other)
{
	size_t keep = pick(input->length + 1), from = pick(other->length + 1);
	size_t length = other->length - from;
	if (keep + length > INPUT_BYTES_MAX)
		return;
	memcpy(input->bytes + keep, other->bytes + from, length);
	input->length = keep + length;
}

static void run_one(const struct input *input)
{
	/* Of its own size, so that a sanitizer sees what is read beyond its end. */
	uint8_t *copy = malloc(input->length == 0 ? 1 : input->length);
	RT_ASSERT(copy != NULL);
	memcpy(copy, input->bytes, input->length);
	(void)LLVMFuzzerTestOneInput(copy, input->length);
	free(copy);
}

static bool run_file(const char *path, struct input *input)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return false;
	input->length = fread(input->bytes, 1, sizeof(input->bytes), file);
	(void)fclose(file);
	run_one(input);
	return true;
}

int main(int argc, char **argv)
{
	static struct input seeds[SEEDS_MAX], input;
	uint64_t runs = RUNS_DEFAULT, seed = (uint64_t)rt_clock_wall_us();
	size_t count = 0;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-runs=", 6) == 0)
			runs = strtoull(argv[i] + 6, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			seed = strtoull(argv[i] + 6, NULL, 10);
		else if (argv[i][0] != '-' && !run_file(argv[i], &input))
			return 2;
	}
	while (count < SEEDS_MAX &&
	       (seeds[count].length = fuzz_seed(count, seeds[count].bytes, INPUT_BYTES_MAX)) > 0)
		run_one(&seeds[count++]);
	printf("-seed=%" PRIu64 ", %zu seeds, %" PRIu64 " runs\n", seed, count, runs);
	(void)fflush(stdout);
	random_state = seed;
	for (uint64_t run = 0; run < runs && count > 0; run++) {
		input = seeds[pick(count)];
		if (pick(10) == 0)
			cross(&input, &seeds[pick(count)]);
		for (size_t i = 1 + pick(CHANGES_MAX); i > 0; i--)
			change(&input);
		run_one(&input);
	}
	return 0;
}
