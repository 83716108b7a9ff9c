"""The commands of named volumes, which containers have at /data, and of
anonymous ones, at /anon."""
from act import Act, Choice, Says
from model import Volume

ANONYMOUS = "/anon"  # what acts are about that make or remove such
PLACE = "/data"
MIB = 1 << 20


class Mounts:
    """What a new container has mounted: @words of its command line."""
    def __init__(self, volume=None, anonymous=False, source=None):
        self.volume, self.anonymous, self.source = volume, anonymous, source
        self.words = []
        if volume:
            self.words += ["-v", "%s:%s" % (volume, PLACE)]
        if anonymous:
            self.words += ["-v", ANONYMOUS]
        if source:
            self.words += ["--volumes-from", source]

    def about(self):
        return [self.volume] * bool(self.volume) + (
            [ANONYMOUS] if self.anonymous or self.source else [])

    def missing(self, model):
        """What the command says where there is no such source."""
        if self.source and self.source not in model.containers:
            return "--volumes-from %s: there is no container '%s'" % (
                self.source, self.source)
        return None

    def give(self, model, container):
        source = model.containers.get(self.source)
        if self.volume:
            model.volumes.setdefault(self.volume, Volume())
            container.volume = self.volume
        if self.anonymous:
            model.serial += 1
            model.anonymous = model.anonymous | {model.serial}
            container.anonymous = model.serial
        if source:  # what it has of its own wins
            container.volume = container.volume or source.volume
            container.anonymous = container.anonymous or source.anonymous


class Volumes(Choice):
    def volume_name(self, model, new):
        """One that is there, or at times is not."""
        if not model.volumes or self.rng.random() < new:
            return self.token("v")
        return self.rng.choice(sorted(model.volumes))

    def mounts(self, model):
        dice = self.rng.random()
        if dice < 0.1 and model.containers:
            return Mounts(source=self.some(model, lambda c: c.volume or
                                           c.anonymous))
        return Mounts(self.volume_name(model, 0.2) if dice < 0.4 else None,
                      self.rng.random() < 0.1)

    def volume(self, model):
        if len(model.volumes) > 4:
            return self.volume_rm(model)
        return getattr(self, self.rng.choices(
            ("volume_create", "volume_rm", "volume_write", "volume_exec",
             "volume_resize", "volume_prune"), (4, 3, 4, 4, 3, 1))[0])(model)

    def volume_create(self, model):
        name = self.volume_name(model, 0.8)
        small = name not in model.volumes and self.rng.random() < 0.5

        def effect(m):
            if name not in m.volumes:
                m.volumes[name] = Volume(32 * MIB if small else Volume.SIZE)
            return Says(out=name + "\n")
        return Act(["volume", "create"] + ["--size", "32m"] * small + [name],
                   effect, volumes=[name])

    def volume_rm(self, model):
        name = self.volume_name(model, 0.1)

        def effect(m):
            if name not in m.volumes:
                return Says(1, "there is no volume '%s'" % name)
            if any(c.volume == name for c in m.containers.values()):
                return Says(1, "cannot remove the volume %s: it is in use by "
                            % name)
            del m.volumes[name]
            return Says(out=name + "\n")
        return Act(["volume", "rm", name], effect, volumes=[name])

    def volume_resize(self, model):
        name = self.volume_name(model, 0.1)

        def effect(m):
            if name not in m.volumes:
                return Says(1, "there is no volume '%s'" % name)
            if not m.can_resize:
                return Says(1, "cannot resize the volume %s: on the driver "
                            "'snapshot' volumes keep their size" % name)
            m.volumes[name].size += 16 * MIB
            return Says(out=name + "\n")
        return Act(["volume", "resize", name, "+16m"], effect, volumes=[name])

    def volume_prune(self, model):
        """Nameless ones: what they are called is not known."""
        def effect(m):
            m.prune()
            return Says()
        return Act(["volume", "prune", "-f"], effect, volumes=[ANONYMOUS])

    def writing(self, mark):
        """In one step: who is killed has written it, or has not."""
        return ["sh", "-c", "echo %s >%s/%s && mv %s/%s %s/mark" % (
            mark, PLACE, mark, PLACE, mark, PLACE)]

    def volume_write(self, model):
        """By a container that comes and goes."""
        name, image = self.volume_name(model, 0.2), self.image(model)
        mark = self.token("m")

        def effect(m):
            if image not in m.names:
                return Says(125, "there is no image '%s'" % image)
            m.volumes.setdefault(name, Volume()).mark = mark
            return Says(out="")
        return Act(["run", "--rm", "-v", "%s:%s" % (name, PLACE), image] +
                   self.writing(mark), effect, images=[image], volumes=[name])

    def volume_exec(self, model):
        """By one that has it."""
        name = self.some(model, lambda c: c.volume and c.state == "running")
        c = model.containers.get(name)
        if not c or not c.volume or c.state != "running":
            return self.volume_write(model)
        volume, mark = c.volume, self.token("m")

        def effect(m):
            c = m.containers.get(name)
            cannot = "cannot run a command in %s: " % name
            if not c:
                return Says(1, cannot + "there is no container '%s'" % name)
            if c.state != "running":
                return Says(1, cannot + (
                    "it is paused" if c.state == "paused"
                    else "it is not running"))
            m.volumes[volume].mark = mark
            return Says(out="")
        return Act(["exec", name] + self.writing(mark), effect, [name],
                   volumes=[volume])
