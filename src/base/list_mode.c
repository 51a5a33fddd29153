/* list_mode.c - see list_mode.h. */
#include "hotdesk/base/list_mode.h"

#include <string.h>

static const char *const names[HD_LIST_MODES] = { "", "central", "local", "off" };

int hd_list_mode_parse(enum hd_list_mode *modep, struct hd_slice text)
{
	for (size_t i = 0; i < HD_LIST_MODES; i++) {
		if (hd_slice_is(text, names[i])) {
			*modep = (enum hd_list_mode)i;
			return 0;
		}
	}
	return HD_EPARSE;
}

const char *hd_list_mode_name(enum hd_list_mode mode)
{
	return (size_t)mode < HD_LIST_MODES ? names[mode] : "";
}

bool hd_list_group_is_valid(struct hd_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      c == '.' || c == '_' || c == '-'))
			return false;
	}
	return name.len > 0 && name.len < HD_LIST_GROUP_SIZE;
}

int hd_list_policy_add(struct hd_list_policy *policy, struct hd_slice text)
{
	const char *equals = text.len ? memchr(text.ptr, '=', text.len) : NULL;
	struct hd_slice name, mode;
	struct hd_list_group *to;

	if (!equals)
		return HD_EPARSE;
	name = (struct hd_slice){ text.ptr, (size_t)(equals - text.ptr) };
	mode = (struct hd_slice){ equals + 1, text.len - name.len - 1 };
	if (!hd_list_group_is_valid(name) || mode.len == 0)
		return HD_EPARSE;
	if (policy->n_groups == HD_LIST_GROUPS_MAX)
		return HD_ELIMIT;
	to = &policy->groups[policy->n_groups];
	if (hd_list_mode_parse(&to->mode, mode) || hd_str_copy(to->name, sizeof(to->name), name))
		return HD_EPARSE;
	policy->n_groups++;
	return 0;
}

enum hd_list_mode hd_list_policy_mode(const struct hd_list_policy *policy, const char *own,
				      const char *group)
{
	enum hd_list_mode mode;

	if (!hd_list_mode_parse(&mode, hd_slice_of(own)) && mode != HD_LIST_INHERIT)
		return mode;
	for (size_t i = 0; group[0] && i < policy->n_groups; i++)
		if (strcmp(policy->groups[i].name, group) == 0)
			return policy->groups[i].mode;
	return policy->standard == HD_LIST_INHERIT ? HD_LIST_CENTRAL : policy->standard;
}
