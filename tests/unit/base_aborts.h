/* Expects a function to end the process. For unit tests. */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the function in a child, without its noise; the child's wait status. */
static inline int run_in_child(void (*function)(void *), void *argument)
{
	pid_t child = fork();
	if (child == 0) {
		const struct rlimit no_core = {0};
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		int nowhere = open("/dev/null", O_WRONLY);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		function(argument);
		_exit(0);
	}
	int status = 0;
	return waitpid(child, &status, 0) == child ? status : -1;
}

static inline bool aborts(void (*function)(void *), void *argument)
{
	int status = run_in_child(function, argument);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* True when the function returns. */
static inline bool survives(void (*function)(void *), void *argument)
{
	int status = run_in_child(function, argument);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
