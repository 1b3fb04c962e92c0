/* How connections are taken in. For runtime/rpc alone. */
#pragma once

/* Lets the process open as many files as it may, and sees that accept.c is linked. Once, before
 * anything listens. */
void rt_accept_init(void);
