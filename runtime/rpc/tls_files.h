/* Certificate files that are watched for changes. What gRPC is given of them has been looked at
 * before, as a whole: while there is nothing usable, it keeps what it has. For server.c, client.c
 * and tls_credentials.c. */
#pragma once

#include <grpc/grpc_security.h>

#include "rt/status.h"
#include "rt/tls.h"

struct rt_tls_files;

/* What the certificate is shown as. */
enum rt_tls_side { RT_TLS_SERVER, RT_TLS_CLIENT };

/* Whether the files can be used as they are now. Errors: FAILED_PRECONDITION TLS_UNREADABLE when a
 * file can't be read, is not PEM, or the key is not the certificate's; TLS_UNTRUSTED when the
 * authorities beside the certificate don't vouch for it, now and on this side; TLS_IDENTITY when it
 * has anything but one URI SAN, or that is no identity of the trust domain. */
struct rt_status rt_tls_check(const struct rt_tls *tls, enum rt_tls_side side);

/* Reads the files, and again and again in a thread of its own; what is unusable then, or has become
 * somebody else's, is logged once and not taken. Owns: until rt_tls_files_destroy. Errors: as
 * rt_tls_check. */
struct rt_status rt_tls_files_new(const struct rt_tls *tls, enum rt_tls_side side,
				  struct rt_tls_files **result);
/* NULL is let pass. */
void rt_tls_files_destroy(struct rt_tls_files *files);
/* The files' own. */
grpc_tls_certificate_provider *rt_tls_files_provider(const struct rt_tls_files *files);
