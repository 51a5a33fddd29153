/* body.c - a JSON body from the options of the command line. */
#include <string.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

static json_t *secret_value(struct ctl *ctl, const struct ctl_option *o, const char *value,
			    char *generated)
{
	char text[CTL_SECRET_SIZE];
	json_t *json = NULL;

	if (o->generate && strcmp(value, "generate") == 0) {
		ctl_secret_generate(generated, CTL_SECRET_SIZE);
		return json_string(generated);
	}
	if (strcmp(value, "-") != 0)
		return json_string(value);
	if (ctl_secret_read(ctl, o->name, text, sizeof(text)))
		json = json_string(text);
	hd_wipe(text, sizeof(text));
	return json;
}

static json_t *value_of(struct ctl *ctl, const struct ctl_option *o, const char *value,
			char *generated)
{
	switch (o->kind) {
	case CTL_YES_NO:
		return json_boolean(strcmp(value, "yes") == 0);
	case CTL_SECRET:
		return secret_value(ctl, o, value, generated);
	case CTL_NULL:
		return json_null();
	case CTL_TEXT:
	case CTL_PLAIN:
	case CTL_FLAG:
		break;
	}
	return json_string(value);
}

json_t *ctl_body(struct ctl *ctl, char *generatedp)
{
	json_t *body = json_object();
	const struct ctl_option *o;
	json_t *value;

	generatedp[0] = '\0';
	for (size_t i = 0; i < ctl->command->n_options; i++) {
		o = &ctl->command->options[i];
		if (!ctl->values[i] || !o->field)
			continue;
		if (json_object_get(body, o->field)) {
			(void)ctl_usage(ctl, "--%s: contradicts another option", o->name);
			goto out;
		}
		value = value_of(ctl, o, ctl->values[i], generatedp);
		if (!value && o->kind == CTL_SECRET && strcmp(ctl->values[i], "-") == 0)
			goto out; /* said already */
		if (json_object_set_new(body, o->field, value)) {
			/* json_string() takes UTF-8 only. */
			(void)fprintf(ctl->err, "hotdeskctl: --%s: expected UTF-8 text\n", o->name);
			goto out;
		}
	}
	return body;

out:
	json_decref(body);
	return NULL;
}
