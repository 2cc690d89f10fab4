#!/bin/sh
# The programs that some tests need and pip cannot bring.  Where this may install them
# (root on Debian) it does; otherwise those tests are left out, and named by "make test".
for place in /usr/sbin /usr/lib/postgresql/*/bin; do
    PATH=$PATH:$place
done
missing=
for pair in chromium:chromium chromedriver:chromium-driver strace:strace nginx:nginx \
    haproxy:haproxy postgres:postgresql mariadbd:mariadb-server-core \
    mariadb-dump:mariadb-client; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing ..."
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # The tests start what they need; nothing is to run as a service of this machine.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    # shellcheck disable=SC2086
    if apt-get -q update >"$log" 2>&1 &&
        apt-get -q install -y --no-install-recommends $missing >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log"
    rm -f "$log"
fi
echo "Not installed:$missing; the tests that need them are left out."
