/* A fuzz target is a program with these functions; libFuzzer runs it, or driver.c where there is
 * none. For tests/fuzz alone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Libfuzzer's: one input. What is wrong aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Inputs to begin with: number `index`, from 0 on; returns its length, 0 when there are no more. */
size_t fuzz_seed(size_t index, uint8_t *bytes, size_t size);
