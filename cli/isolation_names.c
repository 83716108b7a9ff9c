#include "base/cleanup.h"
#include "base/str.h"
#include "cli/isolation.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_address(const char *text)
{
	unsigned char out[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, out) == 1 ||
	       inet_pton(AF_INET6, text, out) == 1;
}

/* One line, or several, of a file that people read: none may be smuggled in. */
static bool is_word(const char *text)
{
	return *text && !text[strcspn(text, " \t\r\n#")];
}

/* NAME:ADDRESS, where an address in brackets loses them, and "=" does as
 * well. */
static int put_host(json_t *array, const char *text, struct img_err *err)
{
	img_auto(img_mem_release) char *name = mem_strdup(text);
	img_auto(img_mem_release) char *entry = NULL;
	char *address = name + strcspn(name, ":=");
	size_t len;

	if (!*address)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "expected NAME:ADDRESS");
	*address++ = '\0';
	len = strlen(address);
	if (len > 1 && address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		address++;
	}
	if (!is_word(name))
		return img_err_set(err, IMG_E_INPUT, 0, "it has no name");
	if (!is_address(address))
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is no IP address",
				   address);
	entry = mem_printf("%s:%s", name, address);
	if (json_array_append_new(array, json_string(entry)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	return 0;
}

static int put_hosts(json_t *host, const struct text_list *list,
		     struct img_err *err)
{
	json_t *array = json_array();

	(void)json_object_set_new(host, "ExtraHosts", array);
	for (size_t i = 0; i < list->n; i++)
		if (put_host(array, list->text[i], err) < 0)
			return img_err_prefix(err, "invalid --add-host '%s'",
					      list->text[i]);
	return 0;
}

static int check_dns(const struct isolation_options *o, struct img_err *err)
{
	const struct text_list *const words[] = { &o->dns_search,
						  &o->dns_options };
	static const char *const names[] = { "--dns-search", "--dns-option" };

	for (size_t i = 0; i < o->dns.n; i++)
		if (!is_address(o->dns.text[i]))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--dns: '%s' is no IP address",
					   o->dns.text[i]);
	for (size_t k = 0; k < IMG_COUNT(words); k++)
		for (size_t i = 0; i < words[k]->n; i++)
			if (!is_word(words[k]->text[i]))
				return img_err_set(err, IMG_E_INPUT, 0,
						   "%s: '%s' is not one word",
						   names[k], words[k]->text[i]);
	return 0;
}

static int put_name(json_t *config, const char *key, const char *option,
		    const char *text, struct img_err *err)
{
	if (!text)
		return 0;
	if (!is_word(text))
		return img_err_set(err, IMG_E_INPUT, 0, "%s: '%s' is no name",
				   option, text);
	if (json_object_set_new(config, key, json_string(text)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "%s is not UTF-8",
				   option);
	return 0;
}

int isolation_put_names(json_t *config, json_t *host,
			const struct isolation_options *o, struct img_err *err)
{
	int r = check_dns(o, err);

	if (r == 0)
		r = put_name(config, "Hostname", "--hostname", o->hostname,
			     err);
	if (r == 0)
		r = put_name(config, "Domainname", "--domainname",
			     o->domainname, err);
	if (r == 0)
		r = put_hosts(host, &o->add_hosts, err);
	if (r == 0)
		r = isolation_put_list(host, "Dns", "--dns", &o->dns, err);
	if (r == 0)
		r = isolation_put_list(host, "DnsSearch", "--dns-search",
				       &o->dns_search, err);
	if (r == 0)
		r = isolation_put_list(host, "DnsOptions", "--dns-option",
				       &o->dns_options, err);
	return r;
}
