/* What the operating system knows about this process, under the names that Prometheus clients
 * share. For metrics.c. */
#pragma once

#include <stdio.h>

/* Leaves out what the system does not tell. */
void process_metrics_print(FILE *out);
