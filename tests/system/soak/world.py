"""What is there: as img tells it, as the kernel has it, and as the catalog has
it, which need not ask img."""
import glob, json, os, re, sqlite3, subprocess, time

PATIENCE_S = 240  # of the slowest machine


class Fault(Exception):
    pass


def text_of(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def names_in(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def wait_until(look, what):
    """Until look() is true, which is returned; what() tells why it is not."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Fault(what())
        time.sleep(0.02)


class Seen:
    """What img tells of everything; contents only where they were asked for."""
    def __init__(self):
        self.containers, self.names, self.nameless = {}, {}, set()
        self.volumes, self.anonymous = {}, 0
        self.content = {"container": {}, "image": {}, "volume": {}}


class Command:
    """One that runs, and what came of it."""
    def __init__(self, world, argv):
        self.argv = argv
        self.paths = [os.path.join(world.scratch, "%s%d" % (s, world.serial))
                      for s in ("out", "err")]
        world.serial += 1
        self.status = None
        with open(self.paths[0], "wb") as out, open(self.paths[1], "wb") as err:
            # With descriptors left alone it is a vfork, which is cheap.
            self.process = subprocess.Popen(
                [world.img] + argv, stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, close_fds=False)

    def end(self):
        try:
            self.status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Fault("does not end: %s" % self)
        self.out, self.err = map(text_of, self.paths)
        for path in self.paths:
            os.unlink(path)
        return self

    def __str__(self):
        return "img %s: status %s, stdout %r, stderr %r" % (
            " ".join(self.argv), self.status, getattr(self, "out", None),
            getattr(self, "err", None))


class World:
    def __init__(self, img, driver, root, run, scratch):
        self.img, self.root, self.run, self.scratch = img, root, run, scratch
        self.driver = driver
        self.serial = 0

    def begin(self, argv):
        return Command(self, argv)

    def ask(self, *argv):
        """It has to succeed, and to complain of nothing."""
        c = self.begin(list(argv)).end()
        if c.status != 0 or c.err:
            raise Fault("failed: %s" % c)
        return c.out

    def settle_base(self):
        """What is there while nothing runs is there for ever."""
        ident = self.sql("SELECT value FROM settings WHERE key = 'store_id'")
        self.store = ident[0][0]
        self.run_dir = os.path.join(self.run, self.store[:12])
        self.mounts = text_of("/proc/self/mountinfo")
        self.others = set(self.processes())
        self.has_cgroups = os.path.isdir("/sys/fs/cgroup/img")

    def is_volume(self, name):
        return re.fullmatch("img-%s-[1-9][0-9]*" % self.store[:8], name)

    def sql(self, query):
        db = sqlite3.connect("file:%s/store.db?mode=ro" % self.root, uri=True,
                             timeout=PATIENCE_S)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    # Processes.

    def processes(self):
        """Of img, but for the machine's own first."""
        found = []
        for pid in os.listdir("/proc"):
            try:
                if pid.isdigit() and pid != "1" and os.readlink(
                        "/proc/%s/exe" % pid) == self.img:
                    found.append(int(pid))
            except OSError:
                pass  # it has ended, or is the kernel's own
        return found

    def firsts(self):
        """First process and its parent, of all containers that tell of it."""
        found = {}
        for path in glob.glob(self.run_dir + "/*.pid"):
            pid = text_of(path).strip()
            parent = re.search(r"^PPid:\s*(\d+)",
                               text_of("/proc/%s/status" % pid), re.M)
            if pid and parent:
                found[os.path.basename(path)[:-4]] = (
                    int(pid), int(parent.group(1)))
        return found

    def quiet(self):
        """No process of img but a monitor for each container that runs."""
        def look():
            monitors = sorted(m for _, m in self.firsts().values())
            return monitors == sorted(set(self.processes()) - self.others)
        wait_until(look, lambda: "processes of img: %s; first processes with "
                   "their monitors: %s" % (self.processes(), self.firsts()))

    # As img tells it.

    def see(self):
        seen = Seen()
        snapshots = sorted(self.sql("SELECT c.name, s.name FROM snapshots s"
                                    " JOIN containers c ON c.id = container"))
        volumes = self.sql("SELECT c.name, CASE anonymous WHEN 0 THEN u.name"
                           " ELSE 'a nameless one' END FROM volume_users u"
                           " JOIN containers c ON c.id = u.container"
                           " ORDER BY anonymous")
        memory = dict(self.sql("SELECT name, ifnull(json_extract(config,"
                               " '$.HostConfig.Memory'), 0) FROM containers"))
        for c in json.loads(self.ask("ps", "-a", "--format", "json")):
            code = re.match(r"Exited \((\d+)\)", c["Status"])
            seen.containers[c["Names"]] = {
                "id": c["Id"], "state": c["State"], "image_name": c["Image"],
                "exit": int(code.group(1)) if code else 0,
                "memory": memory.get(c["Names"], 0),
                "snapshots": [s for n, s in snapshots if n == c["Names"]],
                "volumes": [v for n, v in volumes if n == c["Names"]]}
        for name, anonymous, size in self.sql(
                "SELECT name, anonymous, size_bytes FROM named_volumes"
                " JOIN volumes ON id = volume"):
            if anonymous:
                seen.anonymous += 1
            else:
                seen.volumes[name] = size
        for i in json.loads(self.ask("images", "--format", "json")):
            if i["Repository"] == "<none>":
                seen.nameless.add(i["Id"])
            else:
                seen.names[i["Repository"]] = i["Id"]
        return seen

    def look_into(self, seen, what, name):
        """What is in the root of a container or an image, and in a log."""
        row = seen.containers.get(name) if what == "container" else None
        content = {}
        if row and row["state"] == "running":
            text = self.ask("exec", name, "cat", "/mark", "/starts")
        else:
            place = self.ask("mount", name).strip()
            text = text_of(place + "/mark") + text_of(place + "/starts")
            self.ask("umount", name)
        content["mark"], _, starts = text.partition("\n")
        content["starts"] = starts.count("x\n")
        if row:
            content["lines"] = self.log_lines(row["id"])
        seen.content[what][name] = content

    def look_into_volume(self, seen, name, image):
        """What is in one, as a container of its own sees it."""
        mark = self.ask("run", "--rm", "-v", name + ":/data:ro", image, "sh",
                        "-c", "[ ! -e /data/mark ] || cat /data/mark")
        seen.content["volume"][name] = {"mark": mark.strip()}

    def told(self, action, ident):
        """When the journal has it of a container for the last time."""
        journal = text_of(self.run_dir + "/events.1") + text_of(
            self.run_dir + "/events")
        return max(map(int, re.findall(
            '"Action":"%s".*"ID":"%s".*"timeNano":([0-9]+)' % (action, ident),
            journal)), default=0)

    def log_lines(self, ident):
        return text_of("%s/containers/%s/log" % (
            self.root, ident)).count('"log":"up\\n"')

    # As the kernel and the catalog have it.

    def check(self, seen):
        """Nothing is there without its owner, once it had time to go."""
        wait_until(lambda: not self.surplus(seen),
                   lambda: "; ".join(self.surplus(seen)))

    def surplus(self, seen):
        """What there is too much, or too little, as a list of texts."""
        bad = []

        def same(what, found, wanted):
            if found != wanted:
                bad.append("%s: %s, not %s" % (what, found, wanted))
        up = {c["id"] for c in seen.containers.values()
              if c["state"] in ("running", "paused")}
        ids = {c["id"] for c in seen.containers.values()}
        volumes = self.check_catalog(same, ids, up)
        self.check_devices(same, volumes)
        same("mounts", text_of("/proc/self/mountinfo"), self.mounts)
        if self.has_cgroups:
            same("cgroups", {n for n in names_in("/sys/fs/cgroup/img")
                             if len(n) == 64}, up)
        short = {i[:12] for i in up}
        same("files that name processes", set(self.firsts()), short)
        same("sockets", {n[:-7] for n in names_in(self.run_dir)
                         if n.endswith(".attach")}, short)
        same("directories without a container",
             set(names_in(self.root + "/containers")) - ids, set())
        return bad

    def check_catalog(self, same, ids, up):
        """Returns the volumes of those that are up, and what these have
        mounted."""
        rows = self.sql("SELECT id, volume, uid_base, gid_base FROM containers")
        volumes = sorted(row[1] for row in rows if row[0] in up)
        same("containers of the catalog", {row[0] for row in rows}, ids)
        for column in 2, 3:
            bases = sorted(row[column] for row in rows if row[column])
            same("ids that overlap", [
                pair for pair in zip(bases, bases[1:])
                if pair[1] - pair[0] < 65536], [])
        shared = [row[1] for row in self.sql(
            "SELECT container, volume FROM volume_users u JOIN named_volumes n"
            " ON n.name = u.name ORDER BY volume") if row[0] in up]
        same("intents", sorted(self.sql("SELECT op, volume FROM intents")),
             [("run", v) for v in volumes] + [("share", v) for v in shared])
        same("volumes that nobody has", self.sql(
            "SELECT id FROM volumes EXCEPT SELECT * FROM (SELECT volume FROM"
            " images UNION ALL SELECT volume FROM containers UNION ALL"
            " SELECT volume FROM snapshots UNION ALL"
            " SELECT volume FROM named_volumes)"), [])
        return sorted(set(volumes + shared))

    def files_of(self, volumes):
        """On the driver snapshot: what these, and what they are made from, lie
        in, by the number that their devices have."""
        files = {}
        for name in names_in(self.root + "/volumes"):
            number, _, rest = name.partition(".")
            number, _, base = number.partition("-")
            if int(number) in volumes:
                files[int(number)] = name
                if base:
                    files.setdefault(int(base), None)
        for number, name in files.items():
            if not name:  # which is a volume still, or not
                files[number] = "%d%s" % (number, ".base" * os.path.exists(
                    "%s/volumes/%d.base" % (self.root, number)))
        return files

    def check_devices(self, same, volumes):
        if self.driver == "snapshot":
            files = self.files_of(volumes)
            volumes = list(files)
            lie_in = sorted("/volumes/" + name for name in files.values())
        else:
            lie_in = ["/pool/data", "/pool/metadata"]
        wanted = sorted("img-%s-%d" % (self.store[:8], v) for v in volumes)
        found, suspended = [], []
        for path in glob.glob("/sys/block/dm-*/dm/uuid"):
            if not text_of(path).startswith("IMG-%s-" % self.store):
                continue
            name = text_of(path[:-4] + "name").strip()
            found.append(name)
            if text_of(path[:-4] + "suspended").strip() != "0":
                suspended.append(name)
        same("devices", sorted(filter(self.is_volume, found)), wanted)
        same("suspended devices", suspended, [])
        same("nodes without a device",
             [n for n in names_in("/dev/mapper")
              if self.is_volume(n) and n not in wanted], [])
        loops = [text_of(p).strip() for p in
                 glob.glob("/sys/block/loop*/loop/backing_file")]
        loops = sorted(f[len(self.root):] for f in loops
                       if f.startswith(self.root + "/"))
        if loops or found:  # else the pool is stopped
            same("loops", loops, lie_in)

    def check_limits(self, model):
        """What the kernel has is what was said."""
        for name, c in model.containers.items():
            path = "/sys/fs/cgroup/img/%s/memory.max" % c.id
            if c.up() and self.has_cgroups:
                found = text_of(path).strip()
                if found != (str(c.memory) if c.memory else "max"):
                    raise Fault("memory.max of %s: %s, not %d" % (
                        name, found, c.memory))

    def check_whole(self, cut_off):
        """The three truths agree, and what is used adds up.  @cut_off: a name
        or a size may be in the pool's record alone, or in the catalog, where
        what would have entered it into the other was killed."""
        c = self.begin(["doctor"]).end()
        found = [f for f in c.out.splitlines() if f.startswith("found ")]
        if cut_off and found and all("record-differs" in f for f in found):
            self.ask("doctor", "--repair")
        said = self.ask("doctor")
        if said != "all is well\n":
            raise Fault("the doctor: " + said)
        if self.driver == "snapshot":
            return self.check_files()
        df = json.loads(self.ask("df", "--format", "json"))
        parts = [v["ExclusiveBytes"] for v in df["Volumes"]] + [
            df["SharedBytes"], df["LedgerBytes"], df["UnreturnedBytes"]]
        if sum(parts) != df["DataUsedBytes"]:
            raise Fault("df does not add up: %s" % df)

    def check_files(self):
        """A file for each volume; of others only what something is made from."""
        there, bases, used = [], set(), set()
        for name in names_in(self.root + "/volumes"):
            number, base, kind = re.fullmatch(
                r"(\d+)(?:-(\d+))?(?:\.(cow|base))?", name).groups()
            used.add(base)
            if kind == "base":
                bases.add(number)
            else:
                there.append(int(number))
        wanted = [row[0] for row in self.sql("SELECT id FROM volumes")]
        if sorted(there) != sorted(wanted) or not bases <= used:
            raise Fault("files of volumes: %s, and of bases %s, not of %s" % (
                sorted(there), sorted(bases - used), sorted(wanted)))
