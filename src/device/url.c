/* url.c - see hd_vendor_url(). */
#include <stdio.h>
#include <string.h>

#include "device_priv.h"

int hd_vendor_url(char url[HD_URL_SIZE], const struct hd_vendor *vendor, const char *base,
		  const char *token, const char *mac)
{
	const char *const *files = vendor->index_files ? vendor->index_files : vendor->files;
	const char *file = vendor->url_file ? vendor->url_file : "";
	size_t len = strlen(base);
	char own[HD_MODEL_SIZE];
	int n;

	while (len > 0 && base[len - 1] == '/')
		len--;
	/* Of one phone the name is known. */
	if (vendor->url_file && token[0] && !hd_vendor_file_name(own, sizeof(own), files, mac))
		file = own;
	n = snprintf(url, HD_URL_SIZE, "%.*s/%s%s%s", (int)len, base, token, token[0] ? "/" : "",
		     file);
	if (n > 0 && n < HD_URL_SIZE)
		return 0;
	url[0] = '\0';
	return HD_ELIMIT;
}
