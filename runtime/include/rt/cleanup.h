/* Scope cleanup: `CLEANUP(function) struct thing thing = {0};` calls function(&thing) when the
 * scope is left, by any way. */
#pragma once

#define CLEANUP(function) __attribute__((cleanup(function)))
