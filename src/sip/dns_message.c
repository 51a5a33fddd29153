/* dns_message.c - a DNS message (RFC 1035) to the records that locate servers; see dns.h. */
#include <string.h>

#include <ares.h>

#include "dns.h"
#include "hotdesk/base/str.h"

enum {
	HEADER_SIZE = 12,
	QUESTION_SIZE = 4,
	FIXED_SIZE = 10,
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	SOA_NUMBERS = 20,
	SRV_FIXED = 6,
	NAPTR_FIXED = 4,
	LABEL_MAX = 63,
	SECTION_MAX = 1000,
};

struct reader {
	const uint8_t *bytes, *at, *end;
};

struct fixed {
	uint16_t type, class;
	uint32_t ttl_s;
	const uint8_t *data, *end;
};

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)u16(p) << 16 | u16(p + 2);
}

bool dns_name_is_sound(const char *name)
{
	size_t label = 0, len = strlen(name);

	if (len == 0 || len > DNS_NAME_SIZE - 3)
		return false;
	for (; *name; name++) {
		const char c = *name;

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			   (c >= '0' && c <= '9') || c == '-' || c == '_') {
			if (++label > LABEL_MAX)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

/* @param name room for DNS_NAME_SIZE, or NULL. @return 0, HD_EPARSE; HD_ELIMIT: unsound, passed by
 */
static int read_name(struct reader *r, char *name)
{
	char *text = NULL;
	long used = 0;
	int err = 0;

	if (r->at >= r->end || ares_expand_name(r->at, r->bytes, (int)(r->end - r->bytes), &text,
						&used) != ARES_SUCCESS)
		return HD_EPARSE;
	r->at += used;
	if (name) {
		name[0] = '\0';
		if (*text && !dns_name_is_sound(text))
			err = HD_ELIMIT;
		else
			err = hd_str_set(name, DNS_NAME_SIZE, text);
		for (char *c = name; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
	}
	ares_free_string(text);
	return err;
}

static int read_fixed(struct reader *r, struct fixed *f)
{
	int err = read_name(r, NULL);

	if (err)
		return err;
	if (r->end - r->at < FIXED_SIZE)
		return HD_EPARSE;
	f->type = u16(r->at);
	f->class = u16(r->at + 2);
	f->ttl_s = u32(r->at + 4);
	if (f->ttl_s > INT32_MAX) /* RFC 2181 8 */
		f->ttl_s = 0;
	f->data = r->at + FIXED_SIZE;
	if (r->end - f->data < u16(r->at + 8))
		return HD_EPARSE;
	f->end = f->data + u16(r->at + 8);
	r->at = f->end;
	return 0;
}

/* ---- what is in a record -------------------------------------------------------------------- */

/* The name at p, which may point back into the message, but must end with the record. */
static int data_name(const struct reader *r, const struct fixed *f, const uint8_t *p, char *name)
{
	struct reader in = { r->bytes, p, f->end };
	int err = read_name(&in, name);

	return !err && in.at != f->end ? HD_EPARSE : err;
}

static int srv_read(struct dns_record *record, const struct reader *r, const struct fixed *f)
{
	if (f->end - f->data < SRV_FIXED + 1)
		return HD_EPARSE;
	record->order = u16(f->data);
	record->preference = u16(f->data + 2);
	record->port = u16(f->data + 4);
	return data_name(r, f, f->data + SRV_FIXED, record->name);
}

static int string_read(const uint8_t **pp, const uint8_t *end, struct hd_slice *s)
{
	if (*pp >= end || end - *pp - 1 < **pp)
		return HD_EPARSE;
	s->ptr = (const char *)*pp + 1;
	s->len = **pp;
	*pp += 1 + s->len;
	return 0;
}

static int naptr_read(struct dns_record *record, const struct reader *r, const struct fixed *f)
{
	struct hd_slice flags = { 0 }, service = { 0 }, regexp = { 0 };
	const uint8_t *p = f->data + NAPTR_FIXED;
	int err;

	if (f->end - f->data < NAPTR_FIXED)
		return HD_EPARSE;
	record->order = u16(f->data);
	record->preference = u16(f->data + 2);
	err = string_read(&p, f->end, &flags);
	if (!err)
		err = string_read(&p, f->end, &service);
	if (!err)
		err = string_read(&p, f->end, &regexp);
	if (err)
		return err;
	record->terminal = flags.len == 1 && regexp.len == 0;
	record->flag = flags.len ? (char)(flags.ptr[0] | 0x20) : '\0';
	if (hd_str_copy(record->service, sizeof(record->service), service))
		record->service[0] = '\0';
	return data_name(r, f, p, record->name);
}

static int record_read(struct dns_record *record, const struct reader *r, const struct fixed *f)
{
	const size_t len = (size_t)(f->end - f->data);

	memset(record, 0, sizeof(*record));
	switch (f->type) {
	case DNS_A:
	case DNS_AAAA:
		if (len != (f->type == DNS_A ? 4U : 16U))
			return HD_EPARSE;
		memcpy(record->address, f->data, len);
		return 0;
	case DNS_SRV:
		return srv_read(record, r, f);
	case DNS_NAPTR:
		return naptr_read(record, r, f);
	default:
		return HD_EPARSE;
	}
}

/* ---- the message ---------------------------------------------------------------------------- */

static int read_answers(struct dns_answer *answer, struct dns_record *records, enum dns_type type,
			struct reader *r, unsigned count)
{
	uint32_t ttl_s = UINT32_MAX;
	struct fixed f;
	int err = 0;

	for (unsigned i = 0; i < count && !err; i++) {
		err = read_fixed(r, &f);
		if (err || f.class != CLASS_IN || (f.type != TYPE_CNAME && f.type != (int)type))
			continue;
		if (f.ttl_s < ttl_s)
			ttl_s = f.ttl_s;
		if (f.type == TYPE_CNAME || answer->n >= DNS_RECORDS_MAX)
			continue;
		err = record_read(&records[answer->n], r, &f);
		if (err == HD_ELIMIT)
			err = 0;
		else if (!err)
			answer->n++;
	}
	answer->ttl_s = answer->n ? ttl_s : 0;
	answer->err = answer->n ? 0 : HD_ENOENT;
	return err;
}

/* RFC 2308 5: how long it is good that there is no such record. */
static int read_authority(struct dns_answer *answer, struct reader *r, unsigned count)
{
	struct fixed f;
	uint32_t minimum;
	int err = 0;

	for (unsigned i = 0; i < count && !err; i++) {
		err = read_fixed(r, &f);
		if (err || f.class != CLASS_IN || f.type != TYPE_SOA ||
		    f.end - f.data < SOA_NUMBERS + 2)
			continue;
		minimum = u32(f.end - 4);
		answer->ttl_s = minimum < f.ttl_s ? minimum : f.ttl_s;
	}
	return err;
}

int dns_message_parse(struct dns_answer *answer, struct dns_record *records, enum dns_type type,
		      const uint8_t *bytes, size_t len)
{
	struct reader r = { bytes, bytes + HEADER_SIZE, bytes + len };
	unsigned questions, answers, authorities;
	int err = 0;

	*answer = (struct dns_answer){ .err = HD_ENOENT, .records = records };
	if (len < HEADER_SIZE || len > UINT16_MAX)
		return HD_EPARSE;
	questions = u16(bytes + 4);
	answers = u16(bytes + 6);
	authorities = u16(bytes + 8);
	if (questions > 1 || answers > SECTION_MAX || authorities > SECTION_MAX)
		return HD_EPARSE;
	if (questions) {
		err = read_name(&r, NULL);
		if (err || r.end - r.at < QUESTION_SIZE)
			return HD_EPARSE;
		r.at += QUESTION_SIZE;
	}
	err = read_answers(answer, records, type, &r, answers);
	if (!err && answer->err)
		err = read_authority(answer, &r, authorities);
	return err;
}
