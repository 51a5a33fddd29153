/* url.c - where a phone gets its configuration, in words for who sets up DHCP. */
#include <stdlib.h>

#include "ctl_priv.h"

static void options_print(struct ctl *ctl, const json_t *options)
{
	struct hd_buf value = { 0 };
	const json_t *o;
	size_t i;

	json_array_foreach(options, i, o)
	{
		json_int_t sub = json_integer_value(json_object_get(o, "suboption"));

		ctl_value_format(&value, json_object_get(o, "value"));
		(void)fprintf(ctl->out, "  option %" JSON_INTEGER_FORMAT,
			      json_integer_value(json_object_get(o, "option")));
		if (sub)
			(void)fprintf(ctl->out, ", sub-option %" JSON_INTEGER_FORMAT, sub);
		(void)fprintf(ctl->out, ": %s\n", hd_buf_text(&value));
		hd_buf_fini(&value);
	}
}

static void url_print(struct ctl *ctl, const json_t *json)
{
	struct hd_buf url = { 0 }, vendor = { 0 };

	ctl_value_format(&url, json_object_get(json, "url"));
	ctl_value_format(&vendor, json_object_get(json, "vendor"));
	(void)fprintf(ctl->out, "url: %s\nvendor: %s\n", hd_buf_text(&url), hd_buf_text(&vendor));
	(void)fputs("DHCP for this phone alone:\n", ctl->out);
	options_print(ctl, json_object_get(json, "dhcp"));
	(void)fputs("DHCP for all of the vendor's phones, each with a client certificate or HTTP "
		    "digest:\n",
		    ctl->out);
	options_print(ctl, json_object_get(json, "dhcp_all"));
	hd_buf_fini(&url);
	hd_buf_fini(&vendor);
}

static enum ctl_exit renew(struct ctl *ctl)
{
	char *target = ctl_target("/v1/phones/", ctl->args[0], "/token");
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "POST", target, NULL, &a);

	ctl_answer_fini(&a);
	free(target);
	return code;
}

enum ctl_exit ctl_phone_url(struct ctl *ctl)
{
	char *target = ctl_target("/v1/phones/", ctl->args[0], "/url");
	enum ctl_exit code = ctl_value(ctl, "renew") ? renew(ctl) : CTL_OK;
	struct ctl_answer a;

	if (!code) {
		code = ctl_call(ctl, "GET", target, NULL, &a);
		if (!code && ctl->json)
			ctl_write_json(ctl->out, a.json);
		else if (!code)
			url_print(ctl, a.json);
		ctl_answer_fini(&a);
	}
	free(target);
	return code;
}
