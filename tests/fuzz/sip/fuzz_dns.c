/* fuzz_dns.c - DNS messages: what is read of them is bounded, and every name in it is sound. */
#include <stdlib.h>
#include <string.h>

#include "sip/dns.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void need_name(const struct dns_record *r, bool may_be_root)
{
	need(memchr(r->name, '\0', sizeof(r->name)) != NULL);
	need(dns_name_is_sound(r->name) || (may_be_root && !r->name[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR };
	static struct dns_record records[DNS_RECORDS_MAX];
	struct dns_answer answer;
	enum dns_type type;
	int err;

	if (len == 0)
		return 0;
	type = types[data[0] & 3];
	err = dns_message_parse(&answer, records, type, data + 1, len - 1);
	need(err == 0 || err == HD_EPARSE);
	if (err)
		return 0;
	need(answer.err == 0 || answer.err == HD_ENOENT);
	need(answer.n <= DNS_RECORDS_MAX && (answer.err || answer.records == records));
	for (size_t i = 0; !answer.err && i < answer.n; i++)
		if (type == DNS_SRV || type == DNS_NAPTR)
			need_name(&answer.records[i], true);
	return 0;
}
