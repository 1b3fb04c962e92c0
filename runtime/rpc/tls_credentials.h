/* gRPC credentials out of certificate files that are watched (tls_files.h). For server.c and
 * channel.c. */
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "rt/identity.h"
#include "rt/tls.h"

/* A client must have a certificate of ours. */
grpc_server_credentials *rt_tls_server_credentials(grpc_tls_certificate_provider *provider);
/* The server must have a certificate of ours, with exactly one URI SAN: the expected identity. */
grpc_channel_credentials *rt_tls_channel_credentials(grpc_tls_certificate_provider *provider,
						     const char *trust_domain,
						     enum rt_identity expected);
