#include "cli/verb.h"

#include <limits.h>
#include <string.h>

/*
 * A function of bash around a table of the verbs.  bash takes a ":" for a word
 * of its own: what is before one is kept in $before.
 */
static const char head[] =
	"# Completion of img, for bash: eval \"$(img completion bash)\"\n"
	"_img_names() { # of containers, of images\n"
	"	local names=''\n"
	"	[ -z \"$1\" ] || names=$(\"${COMP_WORDS[0]}\" ps -a \\\n"
	"		--format '{{.Names}}' 2>/dev/null)\n"
	"	[ -z \"$2\" ] || names+=$'\\n'$(\"${COMP_WORDS[0]}\" images \\\n"
	"		--format '{{.Repository}}:{{.Tag}}' 2>/dev/null |\n"
	"		sed '/^<none>/d; s/:latest$//')\n"
	"	compgen -W \"$names\" -- \"$before$cur\" | "
	"sed \"s|^$before||\"\n"
	"}\n"
	"_img() {\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} before='' verb='' n=0 i=1\n"
	"	local options='' valued='' of='' containers='' images=''\n"
	"	local several='' command='' option=''\n"
	"	local -a words=(\"${COMP_WORDS[@]:0:COMP_CWORD}\")\n"
	"	COMPREPLY=()\n"
	"	if [ \"$cur\" = : ]; then\n"
	"		words+=(:)\n"
	"		cur=''\n"
	"	fi\n"
	"	if [ ${#words[@]} -gt 3 ] && [ \"${words[-1]}\" = : ]; then\n"
	"		before=${words[-2]}:\n"
	"		words=(\"${words[@]:0:${#words[@]}-2}\")\n"
	"	fi\n"
	"	while [[ ${words[i]-} == -* ]]; do # img's own\n"
	"		[[ ${words[i]} != --r* ]] || i=$((i + 1))\n"
	"		i=$((i + 1))\n"
	"	done\n"
	"	verb=${words[*]:i:1}\n"
	"	if [ $((i + 1)) -lt ${#words[@]} ] && [[ ' ";

static const char middle[] = "' == *\" $verb \"* ]]; then\n"
			     "		i=$((i + 1))\n"
			     "		verb+=\" ${words[i]}\"\n"
			     "	fi\n"
			     "	case $verb in\n";

static const char tail[] =
	"	*)\n"
	"		return 0\n"
	"		;;\n"
	"	esac\n"
	"	for ((i++; i < ${#words[@]}; i++)); do\n"
	"		if [[ \" $valued \" == *\" ${words[i]} \"* ]]; then\n"
	"			option=${words[i]}\n"
	"			i=$((i + 1))\n"
	"			[ \"${words[i]-}\" != = ] || i=$((i + 1))\n"
	"			[ $i -lt ${#words[@]} ] || { # its value\n"
	"				[[ \" $of \" != *\" $option \"* ]] ||\n"
	"					mapfile -t COMPREPLY < <(_img_names y '')\n"
	"				return 0\n"
	"			}\n"
	"		elif [[ ${words[i]} != -* ]]; then\n"
	"			n=$((n + 1))\n"
	"			[ -z \"$command\" ] || return 0 # which follows\n"
	"		fi\n"
	"	done\n"
	"	if [[ $cur == -* ]]; then\n"
	"		mapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
	"\"$cur\")\n"
	"	elif [[ $containers$images && ($n -eq 0 || $several) ]]; then\n"
	"		mapfile -t COMPREPLY < <(_img_names \"$containers\" "
	"\"$images\")\n"
	"	fi\n"
	"}\n"
	"complete -o default -F _img img\n";

/* What the first word of a verb's usage stands for. */
static void print_kinds(const char *usage)
{
	const char *word = usage + (*usage == '[');
	const bool both = strncmp(word, "OBJECT", 6) == 0 ||
			  strncmp(word, "NAME [NAME", 10) == 0 ||
			  strncmp(word, "CONTAINER|IMAGE", 15) == 0;

	(void)printf("		containers='%s' images='%s' several='%s'\n",
		     both || strncmp(word, "CONTAINER", 9) == 0 ? "y" : "",
		     both || strncmp(word, "IMAGE", 5) == 0 ? "y" : "",
		     strstr(usage, "...]") ? "y" : "");
}

static void print_case(const struct verb *verb)
{
	const struct option_table *table = &verb->options;

	(void)printf("	'%s')\n		options='--help", verb->name);
	for (size_t i = 0; i < table->n; i++)
		(void)printf(" --%s", table->rows[i].name);
	(void)printf("'\n		valued='");
	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];

		if (row->arg && row->letter)
			(void)printf("-%c ", row->letter);
		if (row->arg)
			(void)printf("--%s ", row->name);
	}
	(void)printf("'\n		command='%s'\n",
		     table->stop_at_argument ? "y" : "");
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].arg &&
		    strncmp(table->rows[i].arg, "CONTAINER", 9) == 0)
			(void)printf("		of+=' --%s'\n",
				     table->rows[i].name);
	print_kinds(verb->arguments);
	(void)printf("		;;\n");
}

/* How long the first of a verb's words is, where it has two; else 0. */
static int family_len(const struct verb *verb)
{
	const char *space = strchr(verb->name, ' ');

	return space ? (int)(space - verb->name) : 0;
}

static bool is_of_family(const struct verb *verb, const struct verb *first)
{
	const int len = family_len(first);

	return family_len(verb) == len &&
	       strncmp(verb->name, first->name, (size_t)len) == 0;
}

/* The families stand together in the table. */
static bool begins_family(size_t i)
{
	return family_len(verbs[i]) &&
	       (i == 0 || !is_of_family(verbs[i - 1], verbs[i]));
}

/* One more case: what the next word may be. */
static void print_words(const struct verb *family)
{
	(void)printf(
		"	'%.*s')\n		mapfile -t COMPREPLY < <(compgen "
		"-W '",
		family ? family_len(family) : 0, family ? family->name : "");
	for (size_t i = 0; i < n_verbs; i++) {
		const int len = family_len(verbs[i]);

		if (family && is_of_family(verbs[i], family))
			(void)printf("%s ", verbs[i]->name + len + 1);
		else if (!family && (!len || begins_family(i)))
			(void)printf("%.*s ", len ? len : NAME_MAX,
				     verbs[i]->name);
	}
	(void)printf("' -- \"$cur\")\n		return 0\n		;;\n");
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	if (strcmp(argv[0], "bash") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "there is a completion for bash, and none "
				   "for '%s'",
				   argv[0]);
	(void)fputs(head, stdout);
	for (size_t i = 0; i < n_verbs; i++)
		if (begins_family(i))
			(void)printf("%.*s ", family_len(verbs[i]),
				     verbs[i]->name);
	(void)fputs(middle, stdout);
	print_words(NULL);
	for (size_t i = 0; i < n_verbs; i++) {
		if (begins_family(i))
			print_words(verbs[i]);
		print_case(verbs[i]);
	}
	(void)fputs(tail, stdout);
	return 0;
}

const struct verb verb_completion = {
	.name = "completion",
	.arguments = "bash",
	.summary = "Print what makes bash complete words of img",
	.description =
		"Verbs, options, and the names of containers and images. In a "
		"shell, or in its ~/.bashrc:\neval \"$(img completion bash)\"",
	.values_size = 1,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
