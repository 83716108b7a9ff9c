# Somebody at a terminal.

# typing SCRIPT CMD...: runs CMD at a terminal; python's SCRIPT says what is
# typed: expect(text), type(text), resize(rows, columns); $status is CMD's, $out
# what was seen.
# shellcheck disable=SC2034 # the test looks at it
typing() {
	status=0
	/usr/bin/python3 -S - "$@" >"$T/out" 2>"$T/err" <<'EOF' || status=$?
import fcntl, os, pty, select, struct, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b''
def more(until):
    global seen
    r, _, _ = select.select([fd], [], [], max(0, until - time.time()))
    try:
        data = os.read(fd, 65536) if r else None
    except OSError:
        data = b''
    seen += data or b''
    return data != b'' and (r or time.time() < until)
def expect(text):
    until = time.time() + 120  # on the slowest machine
    while text.encode() not in seen:
        if not more(until):
            sys.stdout.buffer.write(seen)
            sys.exit(f'never seen: {text!r}')
def type(text):
    os.write(fd, text.encode())
def resize(rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
resize(30, 90)
exec(sys.argv[1])
until = time.time() + 120
while more(until):
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
	slurp out "$T/out"
	slurp err "$T/err"
}
