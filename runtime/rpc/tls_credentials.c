#include "rpc/tls_credentials.h"

#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/tls_files.h"
#include "rt/assert.h"
#include "rt/log.h"

struct rt_tls rt_tls_from(const struct rt_common_config *common)
{
	return (struct rt_tls){
		.cert = common->tls_cert,
		.key = common->tls_key,
		.ca = common->tls_ca,
		.trust_domain = common->trust_domain,
		.reload_ms = common->tls_reload_ms,
	};
}

void rt_tls_report(const struct rt_tls *tls, struct rt_readiness *report)
{
	struct rt_status status = rt_tls_check(tls, RT_TLS_SERVER);
	rt_readiness_add(report, "certificates", rt_is_ok(&status), false, status.detail);
}

static grpc_tls_credentials_options *options_new(grpc_tls_certificate_provider *provider)
{
	grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
	grpc_tls_credentials_options_set_certificate_provider(options, provider);
	grpc_tls_credentials_options_watch_root_certs(options);
	grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
	return options;
}

grpc_server_credentials *rt_tls_server_credentials(grpc_tls_certificate_provider *provider)
{
	grpc_tls_credentials_options *options = options_new(provider);
	grpc_tls_credentials_options_set_cert_request_type(
		options, GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
	return grpc_tls_server_credentials_create(options);
}

/* Looks at the certificate that a server shows. The chain has been verified by then. */
struct verifier {
	grpc_tls_certificate_verifier_external external;
	char *trust_domain;
	enum rt_identity expected;
};

static bool is_expected(const struct verifier *verifier,
			const grpc_tls_custom_verification_check_request *request)
{
	if (request->peer_info.san_names.uri_names_size != 1)
		return false;
	enum rt_identity identity;
	const char *uri = request->peer_info.san_names.uri_names[0];
	return rt_identity_from_spiffe(uri, verifier->trust_domain, &identity) &&
	       identity == verifier->expected;
}

static int verify(void *user_data, grpc_tls_custom_verification_check_request *request,
		  grpc_tls_on_custom_verification_check_done_cb callback, void *callback_arg,
		  grpc_status_code *sync_status, char **sync_error_details)
{
	(void)callback;
	(void)callback_arg;
	const struct verifier *verifier = user_data;
	if (is_expected(verifier, request)) {
		*sync_status = GRPC_STATUS_OK;
		return 1;
	}
	size_t count = request->peer_info.san_names.uri_names_size;
	RT_LOG(WARN, "tls_server_refused", RT_TEXT("target", request->target_name),
	       RT_TEXT("expected", rt_identity_name(verifier->expected)),
	       RT_TEXT("uri", count > 0 ? request->peer_info.san_names.uri_names[0] : ""),
	       RT_INT("uris", (int64_t)count));
	*sync_status = GRPC_STATUS_UNAUTHENTICATED;
	*sync_error_details = gpr_strdup("the server does not have the expected identity");
	return 1;
}

static void cancel_verify(void *user_data, grpc_tls_custom_verification_check_request *request)
{
	(void)user_data; /* verify() is done when it returns: there is nothing to cancel */
	(void)request;
}

static void destroy_verifier(void *user_data)
{
	struct verifier *verifier = user_data;
	free(verifier->trust_domain);
	free(verifier);
}

static grpc_tls_certificate_verifier *verifier_new(const char *trust_domain,
						   enum rt_identity expected)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));
	RT_ASSERT(verifier != NULL);
	verifier->trust_domain = strdup(trust_domain);
	RT_ASSERT(verifier->trust_domain != NULL);
	verifier->expected = expected;
	verifier->external = (grpc_tls_certificate_verifier_external){
		.user_data = verifier,
		.verify = verify,
		.cancel = cancel_verify,
		.destruct = destroy_verifier,
	};
	return grpc_tls_certificate_verifier_external_create(&verifier->external);
}

grpc_channel_credentials *rt_tls_channel_credentials(grpc_tls_certificate_provider *provider,
						     const char *trust_domain,
						     enum rt_identity expected)
{
	grpc_tls_credentials_options *options = options_new(provider);
	grpc_tls_certificate_verifier *verifier = verifier_new(trust_domain, expected);
	grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
	grpc_tls_certificate_verifier_release(verifier);
	grpc_tls_credentials_options_set_verify_server_cert(options, 1);
	/* Names in a call are addresses of the moment; the SPIFFE identity is what counts. */
	grpc_tls_credentials_options_set_check_call_host(options, 0);
	return grpc_tls_credentials_create(options);
}
