/* What the simulator's commands print. For main.c. */
#pragma once

/* The books of a folder as JSON on standard output; the exit status. */
int report_books(const char *state_dir);
/* The reference page of what it can be told to do, as Markdown on standard output; the exit status.
 */
int report_behaviours(void);
