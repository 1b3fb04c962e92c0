#include "process_metrics.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rt/cleanup.h"

static void close_stream(FILE **stream)
{
	if (*stream != NULL)
		fclose(*stream);
}

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		closedir(*folder);
}

static void print_head(FILE *out, const char *name, const char *kind, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void print_int(FILE *out, const char *name, const char *kind, const char *help,
		      int64_t value)
{
	print_head(out, name, kind, help);
	fprintf(out, "%s %lld\n", name, (long long)value);
}

static void print_cpu(FILE *out)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	int64_t used_us = ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
			  usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	print_head(out, "process_cpu_seconds_total", "counter",
		   "Processor time used, user and system");
	fprintf(out, "process_cpu_seconds_total %lld.%06lld\n", (long long)(used_us / 1000000),
		(long long)(used_us % 1000000));
}

static void print_memory(FILE *out)
{
	CLEANUP(close_stream) FILE *stream = fopen("/proc/self/statm", "re");
	char line[256];
	if (stream == NULL || fgets(line, sizeof(line), stream) == NULL)
		return;
	char *rest;
	long long virtual_pages = strtoll(line, &rest, 10);
	long long resident_pages = strtoll(rest, NULL, 10);
	long long page_bytes = sysconf(_SC_PAGESIZE);
	print_int(out, "process_virtual_memory_bytes", "gauge", "Virtual memory",
		  virtual_pages * page_bytes);
	print_int(out, "process_resident_memory_bytes", "gauge", "Resident memory",
		  resident_pages * page_bytes);
}

static void print_files(FILE *out)
{
	CLEANUP(close_folder) DIR *folder = opendir("/proc/self/fd");
	if (folder != NULL) {
		int64_t count = -1; /* the folder itself is open too */
		for (const struct dirent *entry = readdir(folder); entry != NULL;
		     entry = readdir(folder))
			count += entry->d_name[0] != '.' ? 1 : 0;
		print_int(out, "process_open_fds", "gauge", "Open file descriptors", count);
	}
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		print_int(out, "process_max_fds", "gauge", "Most file descriptors that may be open",
			  (int64_t)limit.rlim_cur);
}

/* The 22nd value of the process's line is its start, in ticks since the machine's. The second is
 * its name in brackets, which may contain anything: values are counted from the last bracket. */
static bool read_start_ticks(long long *ticks)
{
	CLEANUP(close_stream) FILE *stream = fopen("/proc/self/stat", "re");
	char line[1024];
	if (stream == NULL || fgets(line, sizeof(line), stream) == NULL)
		return false;
	const char *at = strrchr(line, ')');
	for (int value = 2; at != NULL && value < 22; value++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return false;
	*ticks = strtoll(at, NULL, 10);
	return true;
}

static bool read_boot_time(long long *boot_s)
{
	static const char name[] = "btime ";
	CLEANUP(close_stream) FILE *stream = fopen("/proc/stat", "re");
	char line[4096];
	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
		if (strncmp(line, name, sizeof(name) - 1) != 0)
			continue;
		*boot_s = strtoll(line + sizeof(name) - 1, NULL, 10);
		return true;
	}
	return false;
}

static void print_start(FILE *out)
{
	long long ticks, boot_s;
	long ticks_per_s = sysconf(_SC_CLK_TCK);
	if (ticks_per_s <= 0 || !read_start_ticks(&ticks) || !read_boot_time(&boot_s))
		return;
	print_head(out, "process_start_time_seconds", "gauge",
		   "Start of the process, in seconds since 1970");
	fprintf(out, "process_start_time_seconds %lld.%02lld\n", boot_s + ticks / ticks_per_s,
		ticks % ticks_per_s * 100 / ticks_per_s);
}

void process_metrics_print(FILE *out)
{
	print_cpu(out);
	print_memory(out);
	print_files(out);
	print_start(out);
}
