/* test_hint.c - what real User-Agents and file names say about a phone. */
#include "fixture.h"

struct row {
	const char *text, *vendor, *model, *firmware, *mac;
};

static const struct row sip_agents[] = {
	{ "Yealink SIP-T46U 108.86.0.40", "yealink", "yealink-t46u", "108.86.0.40", "" },
	{ "Yealink SIP-T21P_E2 52.80.0.147", "yealink", "yealink-t21p-e2", "52.80.0.147", "" },
	{ "Yealink SIP-T21P_E2 52.83.0.35", "yealink", "yealink-t21p-e2", "52.83.0.35", "" },
	{ "Yealink SIP-T22P 7.73.14.2", "yealink", "yealink-t22p", "7.73.14.2", "" },
	{ "Yealink SIP-T23G 44.80.0.60", "yealink", "yealink-t23g", "44.80.0.60", "" },
	{ "Yealink W60B 77.83.0.85", "yealink", "yealink-w60b", "77.83.0.85", "" },
	{ "Grandstream GXP2170 1.0.11.57", "grandstream", "grandstream-gxp2170", "1.0.11.57", "" },
	{ "Grandstream GXP2130 1.0.7.25", "grandstream", "grandstream-gxp2130", "1.0.7.25", "" },
	{ "Grandstream GXP2200 1.0.3.27", "grandstream", "grandstream-gxp2200", "1.0.3.27", "" },
	{ "Grandstream GRP2612W 1.0.5.67", "grandstream", "grandstream-grp2612w", "1.0.5.67", "" },
	{ "snomD785/10.1.84.12", "snom", "snom-d785", "10.1.84.12", "" },
	{ "snomD120/10.1.39.11", "snom", "snom-d120", "10.1.39.11", "" },
	{ "snom870/8.7.5.35", "snom", "snom-870", "8.7.5.35", "" },
	{ "snom370/8.7.5.48", "snom", "snom-370", "8.7.5.48", "" },
	{ "snom300/8.7.5.17", "snom", "snom-300", "8.7.5.17", "" },
	{ "snom360/7.3.30", "snom", "snom-360", "7.3.30", "" },
	{ "PolycomVVX-VVX_350-UA/5.9.5.0614", "polycom", "polycom-vvx-350", "5.9.5.0614", "" },
	{ "PolycomVVX-VVX_450-UA/6.4.5.1000", "polycom", "polycom-vvx-450", "6.4.5.1000", "" },
	{ "PolycomVVX-VVX_450-UA/6.4.3.5018", "polycom", "polycom-vvx-450", "6.4.3.5018", "" },
	{ "PolycomVVX-VVX_150-UA/6.4.1.2280_482567164887", "polycom", "polycom-vvx-150",
	  "6.4.1.2280", "482567164887" },
	{ "Cisco/SPA525G-7.4.9a", "cisco-spa", "cisco-spa525g", "7.4.9a", "" },
	{ "Cisco/SPA504G-7.6.2c", "cisco-spa", "cisco-spa504g", "7.6.2c", "" },
	{ "Cisco/SPA303-7.5.6a", "cisco-spa", "cisco-spa303", "7.5.6a", "" },
	{ "Cisco-CP7821/10.3.1", "cisco-mpp", "cisco-cp-7821", "10.3.1", "" },
	{ "Cisco-CP-8865-3PCC/12.0.3_aabbccddeeff_0123456789", "cisco-mpp", "cisco-cp-8865-3pcc",
	  "12.0.3", "aabbccddeeff" },
	{ "Fanvil X4U 2.12.7.6", "fanvil", "fanvil-x4u", "2.12.7.6", "" },
	{ "Fanvil i16SV 2.4.0", "fanvil", "fanvil-i16sv", "2.4.0", "" },
	{ "Htek UC924E V3.0.4.5", NULL, "htek-uc924e", "3.0.4.5", "" },
	{ "Aastra 6867i/4.5.0.41", "mitel", "aastra-6867i", "4.5.0.41", "" },
	{ "COMfortel D-600/2.2A", "auerswald", "comfortel-d-600", "2.2A", "" },
	{ "Auerswald COMfortel D-400/1.6", "auerswald", "comfortel-d-400", "1.6", "" },
	{ "baresip v1.0.0 (x86_64/linux)", NULL, "baresip", "1.0.0", "" },
};

static const struct row http_agents[] = {
	{ "Yealink SIP-T46G 28.83.0.120 00:15:65:4a:a9:37", "yealink", "yealink-t46g",
	  "28.83.0.120", "0015654aa937" },
	{ "Yealink SIP-T56A 58.80.0.25 001565f429a4", "yealink", "yealink-t56a", "58.80.0.25",
	  "001565f429a4" },
	{ "Yealink W60B 77.81.0.35 80:5e:0c:11:22:33", "yealink", "yealink-w60b", "77.81.0.35",
	  "805e0c112233" },
	{ "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)", "snom",
	  "snom-710", "8.7.5.35", "000413741767" },
	{ "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 "
	  "SXM:0 UXM:0)",
	  "snom", "snom-d785", "10.1.33.33", "000413922d24" },
	{ "Mozilla/4.0 (compatible; snom370-SIP 8.7.5.48)", "snom", "snom-370", "8.7.5.48", "" },
	{ "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application", "polycom",
	  "polycom-vvx-400", "4.1.4.7430", "" },
	{ "Grandstream Model HW GXP2135 SW 1.0.7.97 DevId 000b828aa872", "grandstream",
	  "grandstream-gxp2135", "1.0.7.97", "000b828aa872" },
	{ "Fanvil X5U-V2 2.12.16.17 0c383e557eb1", "fanvil", "fanvil-x5u-v2", "2.12.16.17",
	  "0c383e557eb1" },
	{ "Htek UC926 2.0.4.2 00:1f:c1:aa:bb:cc", NULL, "htek-uc926", "2.0.4.2", "001fc1aabbcc" },
	{ "Mitel6940 MAC:14-00-E9-29-4C-6B V:6.4.0.4006-SIP", "mitel", "mitel-6940", "6.4.0.4006",
	  "1400e9294c6b" },
	{ "Aastra6731i MAC:00-08-5D-11-22-33 V:3.2.0.70-SIP", "mitel", "aastra-6731i", "3.2.0.70",
	  "00085d112233" },
	{ "Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;7C2F80E0D605", "gigaset",
	  "gigaset-n870-ip-pro", "83.V2.11.0+build.a546b91", "7c2f80e0d605" },
	{ "N510 IP PRO/42.245.00.000.000;7C2F804DF9A9", "gigaset", "gigaset-n510-ip-pro",
	  "42.245.00.000.000", "7c2f804df9a9" },
	{ "\"Gigaset N870 IP PRO/83.V2.11.0;7C2F80E0D605;Handset=3\"", "gigaset",
	  "gigaset-n870-ip-pro", "83.V2.11.0", "7c2f80e0d605" },
	{ "Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)", "cisco-spa", "cisco-spa508g", "7.4.4",
	  "0002fdff2103" },
	{ "Cisco-CP-7832-3PCC/11.0.1 (00562b043615)", "cisco-mpp", "cisco-cp-7832-3pcc", "11.0.1",
	  "00562b043615" },
	{ "Linksys/SPA-942-6.1.5(a) (000E08AABBCC)", "cisco-spa", "cisco-spa-942", "6.1.5(a)",
	  "000e08aabbcc" },
	{ "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)", NULL, "audc-ipphone", "2.2.8.61",
	  "00908f602aac" },
	{ "Panasonic_KX-UT670/01.022 (0080f000000)", NULL, "panasonic-kx-ut670", "01.022", "" },
	{ "Mozilla/5.0 AVAYA/J179-4.0.7 (MAC:c81feaaabbcc)", NULL, NULL, NULL, "c81feaaabbcc" },
};

/* Nobody's: must be read without harm, and give nothing that is no text. */
static const struct row odd_agents[] = {
	{ "", NULL, "", "", "" },
	{ " ", NULL, "", "", "" },
	{ "\"", NULL, "", "", "" },
	{ "Yealink", NULL, "", "", "" },
	{ "Yealink ", NULL, "", "", "" },
	{ "Yealink SIP-", NULL, "", "", "" },
	{ "Polycom-UA/", NULL, "", "", "" },
	{ "Cisco/", NULL, "", "", "" },
	{ "Cisco/-", NULL, "", "", "" },
	{ "snom", NULL, "", "", "" },
	{ "COMfortel", NULL, "", "", "" },
	{ "Aastra", NULL, "", "", "" },
	{ "Mitel6940 V:-SIP", "mitel", "mitel-6940", "", "" },
	{ "/////", NULL, "", "", "" },
	{ "friendly-scanner", NULL, "", "", "" },
	{ "Fanvil X4U 2.1\x01\x02", "fanvil", "fanvil-x4u", "", "" },
	{ "snomD785/10.1\xff\xfe", "snom", "snom-d785", "", "" },
};

static void expect(const char *text, const char *what, const char *got, const char *want)
{
	if (want && strcmp(got, want) != 0)
		fail_msg("\"%s\": %s: expected \"%s\", got \"%s\"", text, what, want, got);
}

static void compare(const struct row *row)
{
	/* Of its own length, so that the sanitizer sees a step too far. */
	size_t n = strlen(row->text);
	char *text = malloc(n + !n);
	struct hd_device_hint hint;

	assert_non_null(text);
	memcpy(text, row->text, n);
	hd_device_by_agent(&hint, (struct hd_slice){ text, n });
	expect(row->text, "mac", hint.mac, row->mac);
	expect(row->text, "model", hint.model, row->model);
	expect(row->text, "firmware", hint.firmware, row->firmware);
	if (row->model || row->vendor)
		expect(row->text, "vendor", hint.vendor ? hint.vendor->name : "none",
		       row->vendor ? row->vendor : "none");
	free(text);
}

static void test_sip_agents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sip_agents) / sizeof(sip_agents[0]); i++)
		compare(&sip_agents[i]);
}

static void test_http_agents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(http_agents) / sizeof(http_agents[0]); i++)
		compare(&http_agents[i]);
}

static void test_odd_agents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd_agents) / sizeof(odd_agents[0]); i++)
		compare(&odd_agents[i]);
}

/* Any beginning of any agent, and endless ones: never a step too far, always text. */
static void test_cut_agents(void **state)
{
	struct hd_device_hint hint;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(http_agents) / sizeof(http_agents[0]); i++) {
		for (size_t n = 0; n < strlen(http_agents[i].text); n++) {
			text = malloc(n + !n);
			assert_non_null(text);
			memcpy(text, http_agents[i].text, n);
			hd_device_by_agent(&hint, (struct hd_slice){ text, n });
			assert_true(strlen(hint.model) < sizeof(hint.model));
			hd_device_by_file(&hint, (struct hd_slice){ text, n });
			free(text);
		}
	}
	text = malloc(4096);
	assert_non_null(text);
	memset(text, 'x', 4096);
	memcpy(text, "snom", 4);
	hd_device_by_agent(&hint, (struct hd_slice){ text, 4096 });
	assert_int_equal(strlen(hint.model), HD_MODEL_SIZE - 1);
	assert_string_equal(hint.firmware, "");
	free(text);
}

static void test_files(void **state)
{
	static const struct {
		const char *file, *vendor, *mac, *model;
	} rows[] = {
		{ "805e0c1a2b3c.cfg", NULL, "805e0c1a2b3c", "" },
		{ "snomD785-000413AABB01.htm", "snom", "000413aabb01", "snom-d785" },
		{ "snom370.htm", "snom", "", "snom-370" },
		{ "cfg000b82aabbcc.xml", "grandstream", "000b82aabbcc", "" },
		{ "cfg000b82aabbcc", "grandstream", "000b82aabbcc", "" },
		{ "y000000000108.cfg", "yealink", "", "" },
		{ "spa504G.cfg", "cisco-spa", "", "" },
		{ "CP-8851-3PCC.xml", "cisco-mpp", "", "" },
		{ "f0C00580000.cfg", "fanvil", "", "" },
		{ "f0c005800001.cfg", NULL, "f0c005800001", "" },
		{ "aastra.cfg", "mitel", "", "" },
		{ "000000000000.cfg", "polycom", "", "" },
		{ "7C2F80E0D605.xml", NULL, "7c2f80e0d605", "" },
		{ "../../etc/passwd", NULL, "", "" },
		{ "", NULL, "", "" },
	};
	struct hd_device_hint hint;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hd_device_by_file(&hint, hd_slice_of(rows[i].file));
		expect(rows[i].file, "mac", hint.mac, rows[i].mac);
		expect(rows[i].file, "model", hint.model, rows[i].model);
		expect(rows[i].file, "vendor", hint.vendor ? hint.vendor->name : "none",
		       rows[i].vendor ? rows[i].vendor : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sip_agents), cmocka_unit_test(test_http_agents),
		cmocka_unit_test(test_odd_agents), cmocka_unit_test(test_cut_agents),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
