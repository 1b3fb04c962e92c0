#include "rt/identity.h"

#include <stddef.h>
#include <string.h>

#include "rt/assert.h"

static const char *const names[RT_ID_COUNT] = {
#define IDENTITY_NAME(name, text) [RT_ID_##name] = (text),
	RT_IDENTITIES(IDENTITY_NAME)
#undef IDENTITY_NAME
};

const char *rt_identity_name(enum rt_identity identity)
{
	RT_ASSERT((size_t)identity < RT_ID_COUNT);
	return names[identity];
}

bool rt_identity_parse(const char *name, enum rt_identity *identity)
{
	for (size_t i = 0; i < RT_ID_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*identity = (enum rt_identity)i;
			return true;
		}
	}
	return false;
}

bool rt_identity_from_spiffe(const char *spiffe_id, const char *trust_domain,
			     enum rt_identity *identity)
{
	static const char scheme[] = "spiffe://";
	size_t scheme_length = sizeof(scheme) - 1;
	if (strncmp(spiffe_id, scheme, scheme_length) != 0)
		return false;
	const char *domain = spiffe_id + scheme_length;
	size_t domain_length = strlen(trust_domain);
	if (domain_length == 0 || strncmp(domain, trust_domain, domain_length) != 0)
		return false;
	if (domain[domain_length] != '/')
		return false;
	return rt_identity_parse(domain + domain_length + 1, identity);
}
