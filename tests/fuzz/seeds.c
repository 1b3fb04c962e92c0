/* Gives libFuzzer what to begin with: with DALER_FUZZ_SEEDS=FOLDER the target's seeds are written
 * there before it looks. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define SEED_BYTES_MAX 65536

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t bytes[SEED_BYTES_MAX];
	const char *folder = getenv("DALER_FUZZ_SEEDS");
	size_t length;
	(void)argc;
	(void)argv;
	if (folder == NULL)
		return 0;
	for (size_t i = 0; (length = fuzz_seed(i, bytes, sizeof(bytes))) > 0; i++) {
		char path[4200];
		(void)snprintf(path, sizeof(path), "%s/seed-%zu", folder, i);
		FILE *file = fopen(path, "wb");
		if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
			abort();
	}
	return 0;
}
