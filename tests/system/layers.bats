# The layered example with real things: Debian, then nginx, sudo and users on
# it, then a web site on that.  tests/demo shows the same to a person.
load lib/store

demo=$REPO/tests/demo

setup_file() {
	store_begin
	exits 0 img import --message 'Debian, minimal' "$CACHE/debian.tar" debian
	exits 0 img run --name ops --hostname www -v "$CACHE/debs:/debs:ro" \
		-v "$demo:/demo:ro" debian sh /demo/ops-nginx
	exits 0 img commit --message 'nginx, and who runs it' \
		--change 'CMD ["bash"]' ops ops-nginx
	exits 0 img run --name site --hostname www --user ops \
		-v "$demo:/demo:ro" ops-nginx sh /demo/website-nginx
	exits 0 img commit --message 'site, TLS and log' --change 'USER root' \
		--change 'EXPOSE 80 443' \
		--change 'CMD ["nginx","-g","daemon off;"]' site website-nginx
	store_keep
	exits 0 img rm ops site
}

# inside CMD...: with the network of the container whose process is $pid.
inside() {
	nsenter -t "$pid" -n "$@"
}

# serve NAME IMAGE: runs a site until it takes connections; sets pid.
serve() {
	ok img run -d --name "$1" --hostname www "$2"
	ok img inspect "$1"
	[[ $out =~ '"Pid": '([1-9][0-9]*) ]]
	pid=${BASH_REMATCH[1]}
	wait_for inside bash -c ': </dev/tcp/127.0.0.1/80 </dev/tcp/127.0.0.1/443'
}

# visit URL: fetches it from the site; the certificate has to be the site's.
visit() {
	ok inside curl -sS --max-time 10 --connect-to ::127.0.0.1: \
		--cacert "/proc/$pid/root/etc/nginx/tls/website.crt" "$1"
}

@test "three images, each on the one below, with what it added" {
	ok img tree
	has $'debian:latest *\n└─ ops-nginx:latest *+*'
	has $'\n   └─ website-nginx:latest *+* [KM]iB'
	ok img tree --format json
	json 'len(d) == 1 and d[0]["Name"] == "debian:latest"' \
		'[c["Name"] for c in d[0]["Children"]] == ["ops-nginx:latest"]'
	ok img history --no-trunc website-nginx
	has "sh /demo/website-nginx *site, TLS and log"$'\n'
	has "sh /demo/ops-nginx *nginx, and who runs it"$'\n'
	has "import *debian.tar *Debian, minimal"
	ok img inspect website-nginx
	has '"80/tcp"'
	has '"443/tcp"'
}

@test "files are in the layer that made them and in those above" {
	# What each has of: the base, the packages, the site.
	look='cd /; for f in etc/debian_version usr/sbin/nginx usr/bin/sudo \
		home/ops srv/website/index.html etc/nginx/tls/website.key; do
		[ -e $f ] && printf 1 || printf 0; done'
	gives 100000 img run --rm debian sh -c "$look"
	gives 111100 img run --rm ops-nginx sh -c "$look"
	gives 111111 img run --rm website-nginx sh -c "$look"
	# Every package is whole, by dpkg's own sums.
	gives '' img run --rm website-nginx dpkg --audit
	ok img run --rm website-nginx dpkg --verify nginx nginx-common sudo \
		openssl libssl3
	[ "${out//*c */}" = "$out" ] || say 'not only configuration differs'
	gives 'root:600 web:644' img run --rm website-nginx sh -c \
		'echo $(stat -c %U:%a /etc/nginx/tls/website.key \
		/srv/website/index.html)'
}

@test "sudo: ops may all, web may tell nginx, a stranger nothing" {
	gives 'ops root' img run --rm --hostname www --user ops ops-nginx sh -c \
		'echo $(id -un) $(sudo -n id -un)'
	exits 0 img run --rm --hostname www --user web website-nginx \
		sudo -n /usr/sbin/nginx -t
	[[ $err == *'test is successful'* ]]
	exits 1 img run --rm --hostname www --user web website-nginx sudo -n id
	[[ $err == *'a password is required'* ]]
	exits 1 img run --rm --hostname www --user www-data website-nginx \
		sudo -n id
	[[ $err == *'a password is required'* ]]
}

@test "the site answers over HTTP and HTTPS, and logs it as configured" {
	local pid log
	serve web website-nginx
	visit http://www.website.test/
	cmp "$T/out" "$demo/site/index.html"
	visit https://www.website.test/
	cmp "$T/out" "$demo/site/index.html"
	# Another name is not what the certificate says.
	exits 60 inside curl -sS --connect-to ::127.0.0.1: \
		--cacert "/proc/$pid/root/etc/nginx/tls/website.crt" \
		https://other.website.test/
	exits 22 inside curl -sSf http://127.0.0.1/nosuch
	log=$(<"/proc/$pid/root/var/log/nginx/website.log")
	[ "$log" = "http GET / 200 $(stat -c %s "$demo/site/index.html")
https GET / 200 $(stat -c %s "$demo/site/index.html")
http GET /nosuch 404 ${log##* }" ]
	# Nowhere else: the network is the container's own.
	exits 7 curl -sS --max-time 5 http://127.0.0.1/
}

@test "a site that runs is committed, and its copy serves the same" {
	local pid
	serve web website-nginx
	visit https://www.website.test/
	ok img commit -q web copy
	visit http://www.website.test/
	ok img rm -f web
	gives 'https GET / 200 112' img run --rm copy \
		cat /var/log/nginx/website.log
	serve again copy
	visit https://www.website.test/
	cmp "$T/out" "$demo/site/index.html"
	ok img rm -f again
}
