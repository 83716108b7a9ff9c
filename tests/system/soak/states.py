"""The commands that keep a container's state: snapshots, clones, images."""
from act import Act, Choice, Says
from model import Container, Image


class States(Choice):
    # Snapshots and clones.

    def snapshot(self, model):
        """Makes one, goes back to one, or removes one."""
        known = [(n, s) for n, c in sorted(model.containers.items())
                 for s in sorted(c.snapshots)]
        verb = self.rng.choice(("create", "rollback", "rollback", "rm"))
        if verb == "create" or not known:
            return self.snapshot_create(model)
        stopped = [k for k in known if not model.containers[k[0]].up()]
        name, snapshot = self.rng.choice(stopped or known)
        effect = self.rolled_back if verb == "rollback" else self.forgotten
        return Act(["snapshot", verb, name, snapshot],
                   lambda m: effect(m, name, snapshot), [name])

    def snapshot_create(self, model):
        name, snapshot = self.any_or_nobody(model), self.token("s")
        c = model.containers.get(name)
        if c and c.snapshots and self.rng.random() < 0.2:
            snapshot = self.rng.choice(sorted(c.snapshots))

        def effect(m):
            c = m.containers.get(name)
            if not c:
                return Says(1, "there is no container '%s'" % name)
            if snapshot in c.snapshots:
                return Says(1, "cannot make a snapshot of %s: it has a "
                            "snapshot '%s' already" % (name, snapshot))
            c.snapshots = dict(c.snapshots, **{snapshot: (c.starts, c.mark)})
            return Says(out=snapshot + "\n")
        return Act(["snapshot", "create", name, snapshot], effect, [name])

    def rolled_back(self, m, name, snapshot):
        c = m.containers.get(name)
        if not c:
            return Says(1, "there is no container '%s'" % name)
        if c.up():
            return Says(1, "cannot roll %s back: it is running" % name)
        if snapshot not in c.snapshots:
            return Says(1, "%s has no snapshot '%s'" % (name, snapshot))
        c.starts, c.mark = c.snapshots[snapshot]
        return Says(out=name + "\n")

    def forgotten(self, m, name, snapshot):
        c = m.containers.get(name)
        if not c:
            return Says(1, "there is no container '%s'" % name)
        if snapshot not in c.snapshots:
            return Says(1, "%s has no snapshot '%s'" % (name, snapshot))
        c.snapshots = {s: v for s, v in c.snapshots.items() if s != snapshot}
        return Says(out=snapshot + "\n")

    def clone(self, model):
        name, new = self.any_or_nobody(model), self.token("d")

        def effect(m):
            c = m.containers.get(name)
            if not c:
                return Says(1, "there is no container '%s'" % name)
            other = Container(c.image, c.image_name, c.kind, c.starts, c.mark,
                              c.remove)
            other.memory = c.memory
            other.volume, other.anonymous = c.volume, c.anonymous
            m.containers[new] = other
            return Says()
        return Act(["clone", name, new], effect, [name, new])

    # Images.

    def commit(self, model):
        name, image = self.any_or_nobody(model), self.token("i")
        if self.rng.random() < 0.15:
            image = self.image(model)
        if image == "first":
            image = self.token("i")

        def effect(m):
            c = m.containers.get(name)
            if not c:
                return Says(1, "there is no container '%s'" % name)
            new = Image(None, c.kind, c.starts, c.mark)
            m.add_image(image, new)
            return Says(new=new)
        return Act(["commit", name, image], effect, [name], [image])

    def tag(self, model):
        image, name = self.image(model), self.token("t")
        if self.rng.random() < 0.2:
            name = self.image(model)
        if name == "first":
            name = self.token("t")

        def effect(m):
            if image not in m.names:
                return Says(1, "there is no image '%s'" % image)
            m.names[name] = m.names[image]
            return Says(out="")
        return Act(["tag", image, name], effect, [], [image, name])

    def rmi(self, model):
        name, force = self.image(model), self.rng.random() < 0.4
        if name == "first" and len(model.names) == 1:
            return self.commit(model)
        if name == "first":
            name = "none"

        def effect(m):
            if name not in m.names:
                return Says(1, "cannot remove %s: there is no image" % name)
            key = m.names[name]
            if len(m.names_of(key)) > 1:
                del m.names[name]
                return Says(out="Untagged: %s:latest\n" % name)
            if not force and any(c.image == key
                                 for c in m.containers.values()):
                return Says(1, "was made from it: remove that first, or use -f")
            ident = m.images[key].id
            m.drop_image(key)
            return Says(out=ident and "Deleted: %s\n" % ident)
        return Act(["rmi"] + ["-f"] * force + [name], effect, [], [name])

    def rmi_nameless(self, model):
        """One that lost its name to another."""
        keys = [k for k in sorted(model.images) if not model.names_of(k)]
        if not keys:
            return self.rmi(model)
        key = self.rng.choice(keys)
        ident = model.images[key].id

        def effect(m):
            if key not in m.images:
                return Says(1, "there is no image")
            if m.names_of(key):  # it was given one meanwhile
                return Says(1, "it has")
            m.drop_image(key)
            return Says(out="Deleted: %s\n" % ident)
        return Act(["rmi", "-f", ident[:16]], effect)
