#include "readiness.h"

#include <stdio.h>

#include "json_text.h"
#include "rt/assert.h"
#include "rt/text.h"

void rt_readiness_add(struct rt_readiness *report, const char *component, bool works, bool required,
		      const char *why)
{
	RT_ASSERT(report->count < COMPONENTS_MAX);
	struct component *added = &report->components[report->count++];
	*added = (struct component){.required = required, .works = works};
	snprintf(added->name, sizeof(added->name), "%s", component);
	rt_text_tidy(added->name);
	if (!works)
		snprintf(added->why, sizeof(added->why), "%s", why == NULL ? "" : why);
	rt_text_tidy(added->why);
}

bool readiness_ready(const struct rt_readiness *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->components[i].required && !report->components[i].works)
			return false;
	return true;
}

static void add_component(struct json_text *json, const struct component *component)
{
	json_text_raw(json, "{", 1);
	json_text_add_string(json, "name", component->name);
	json_text_add_bool(json, "required", component->required);
	json_text_add_bool(json, "ok", component->works);
	if (!component->works)
		json_text_add_string(json, "why", component->why);
	json_text_raw(json, "}", 1);
}

size_t readiness_json(const struct rt_readiness *report, char bytes[READINESS_JSON_BYTES])
{
	struct json_text json = {.bytes = bytes, .capacity = READINESS_JSON_BYTES};
	json_text_raw(&json, "{", 1);
	json_text_add_bool(&json, "ready", readiness_ready(report));
	bool fits = json_text_name(&json, "components", 2);
	RT_ASSERT(fits);
	json_text_raw(&json, "[", 1);
	for (size_t i = 0; i < report->count; i++) {
		if (i > 0)
			json_text_raw(&json, ",", 1);
		add_component(&json, &report->components[i]);
	}
	json_text_raw(&json, "]}\n", 3);
	RT_ASSERT(!json.cut);
	return json.length;
}
