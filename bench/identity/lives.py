"""The lives: each is one way in which people share, change, forget and mistype what names them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from bench.identity.told import Life

Tells = Callable[[Life], None]


def alone(life: Life) -> None:
    """A visitor registers, comes back on another browser, changes the address, orders."""
    first, second = life.name("cookie"), life.name("other-cookie")
    me, x = "a", life.name("X")
    for _ in range(3):
        life.visit(me, cookie=first)
    life.post(me, x=x, email=life.mail("a"), phone=life.phone(), cookie=first, first="Olha")
    life.visit(me, cookie=first)
    life.visit(me, cookie=second)
    life.claim(me, cookie=second, x=x)
    life.visit(me, cookie=second)
    life.order(me, x=x, email=life.mail("a"), cookie=second)
    life.post(me, x=x, email=life.mail("a.new"))
    life.order(me, names_them=True, email=life.mail("a.new"), phone=life.phone())


def household(life: Life) -> None:
    """Two to four people with one tablet and one phone; some log out, some do not."""
    tablet, phone = life.name("tablet"), life.phone()
    people = ["a", "b", "c", "d"][: life.chance.randint(2, 4)]
    names = dict(zip("abcd", ["Oleh", "Iryna", "Taras", "Nadiya"], strict=True))
    life.visit(life.chance.choice(people), cookie=tablet)
    for who in people:
        life.post(
            who,
            x=life.name(who.upper()),
            email=life.mail(who),
            phone=phone,
            cookie=tablet,
            first=names[who],
            last="Melnyk",
        )
        life.visit(who, cookie=tablet)
    for _ in range(6):
        who = life.chance.choice(people)
        life.claim(who, cookie=tablet, x=life.name(who.upper()))
        for _ in range(2):
            life.visit(who, cookie=tablet)
        if life.chance.random() < 0.5:
            life.log_out(who, cookie=tablet)
            life.visit(life.chance.choice(people), cookie=tablet)
    for who in people:
        life.order(who, email=life.mail(who), phone=phone, first=names[who], last="Melnyk")


def one_mailbox(life: Life) -> None:
    """A couple with one mailbox and one phone, and an External ID each."""
    for who, name in (("a", "Petro"), ("b", "Hanna")):
        life.post(who, x=life.name(who), email=life.mail("both"), phone=life.phone(), first=name)
    for who in ("a", "b", "a"):
        life.order(who, x=life.name(who), email=life.mail("both"), phone=life.phone())
    life.subscribe(life.chance.choice("ab"), names_them=False, email=life.mail("both"))


def kiosk(life: Life) -> None:
    """A tablet in a shop: one customer after the other, most of them forget to log out."""
    screen = life.name("kiosk")
    for number in range(12):
        who = f"p{number}"
        if life.chance.random() < 0.3:
            life.visit(who, cookie=screen)
        life.post(who, x=life.name(who), email=life.mail(who), cookie=screen)
        life.visit(who, cookie=screen)
        if life.chance.random() < 0.3:
            life.log_out(who, cookie=screen)


def account_switch(life: Life) -> None:
    """One phone, one app, two accounts by turns; the push token stays the same."""
    device, token = life.name("device"), life.name("token")
    life.post("a", names_them=False, device=device, token=token)
    for _ in range(3):
        for who in ("a", "b"):
            life.post(who, x=life.name(who), email=life.mail(who), device=device, token=token)
            life.did(who, device=device)


def used_again(life: Life) -> None:
    """The shop gives an External ID to somebody new after its owner was erased."""
    x, old, new = life.name("X"), life.name("old-cookie"), life.name("new-cookie")
    life.post("a", x=x, email=life.mail("a"), phone=life.phone(1), cookie=old)
    life.visit("a", cookie=old)
    life.erase("a", x=x)
    life.visit("a", cookie=old)
    life.post("b", x=x, email=life.mail("b"), phone=life.phone(2), cookie=new)
    life.visit("b", cookie=new)
    life.order("b", x=x, email=life.mail("b"))
    life.visit("a", cookie=old)


def typo(life: Life) -> None:
    """A mistyped address at the newsletter, the right one at registration, on one browser."""
    cookie = life.name("cookie")
    life.visit("a", cookie=cookie)
    life.subscribe("a", email=life.mail("a").replace("example", "exmaple"), cookie=cookie)
    life.visit("a", cookie=cookie)
    life.post("a", x=life.name("A"), email=life.mail("a"), cookie=cookie)
    life.visit("a", cookie=cookie)


def typo_of_another(life: Life) -> None:
    """The mistyped address is somebody else's, who is a customer."""
    mine, theirs = life.name("my-cookie"), life.name("their-cookie")
    life.post("b", x=life.name("B"), email=life.mail("ann"), cookie=theirs, first="Ann")
    life.post("a", x=life.name("A"), email=life.mail("anna"), cookie=mine, first="Anna")
    life.visit("a", cookie=mine)
    life.subscribe("a", names_them=False, email=life.mail("ann"), first="Anna")
    life.visit("a", cookie=mine)
    life.visit("b", cookie=theirs)
    life.order("a", x=life.name("A"), email=life.mail("ann"), first="Anna")


def offline(life: Life) -> None:
    """The queue of an app arrives after the phone was given to somebody else."""
    device = life.name("device")
    life.post("a", x=life.name("A"), email=life.mail("a"), device=device)
    late = life.now + timedelta(days=10)
    for _ in range(3):
        life.did("a", device=device, arrives=late)
    life.post("b", x=life.name("B"), email=life.mail("b"), device=device)
    life.did("b", device=device)
    life.did("b", device=device, arrives=late)


def guests(life: Life) -> None:
    """The shop sends guest@shop.example for everybody who orders without an account."""
    for number in range(4):
        who, cookie = f"g{number}", life.name(f"cookie{number}")
        life.visit(who, cookie=cookie)
        life.order(who, email="guest@shop.example", phone=life.phone(number), cookie=cookie)
        life.visit(who, cookie=cookie)
    life.post(
        "g0",
        x=life.name("G0"),
        email=life.mail("g0"),
        phone=life.phone(0),
        cookie=life.name("cookie0"),
    )


def same_phone(life: Life) -> None:
    """Father and son order with one phone and no account, each with his own address."""
    for _ in range(2):
        for who, name in (("a", "Ivan"), ("b", "Ivan Jr")):
            life.order(who, email=life.mail(who), phone=life.phone(), first=name, last="Bondar")
    life.post("b", x=life.name("B"), email=life.mail("b"), phone=life.phone(), first="Ivan Jr")


def phone_first(life: Life) -> None:
    """Known by phone alone; later the same phone comes with an account, of the same person or not."""
    mine = life.chance.random() < 0.5
    who = "a" if mine else "b"
    names = {"a": "Marko", "b": "Sofiya"}
    life.order("a", phone=life.phone(), first=names["a"], last="Tkach")
    life.post(
        who,
        x=life.name(who),
        email=life.mail(who),
        phone=life.phone(),
        first=names[who],
        last="Tkach",
    )
    life.order(who, x=life.name(who), phone=life.phone())


def phone_of_two(life: Life) -> None:
    """Somebody orders by phone alone, without a name; somebody else registers with that phone."""
    life.order("a", names_them=False, phone=life.phone())
    life.post("b", x=life.name("B"), email=life.mail("b"), phone=life.phone(), first="Sofiya")
    life.order("a", names_them=False, phone=life.phone(), first="Marko")


def newsletter_and_app(life: Life) -> None:
    """Known by e-mail in one place and by device in another; registration names both."""
    device = life.name("device")
    life.subscribe("a", email=life.mail("a"), groups=("News",))
    life.post("a", device=device, token=life.name("token"))
    life.did("a", device=device)
    life.post("a", x=life.name("A"), email=life.mail("a"), device=device)
    life.did("a", device=device)


def two_channels(life: Life) -> None:
    """Known by e-mail in one place and by phone in another; an order names both."""
    life.subscribe("a", email=life.mail("a"), first="Daryna")
    life.order("a", phone=life.phone(), first="Daryna", last="Kravets")
    life.post("a", x=life.name("A"), email=life.mail("a"), phone=life.phone(), first="Daryna")


def file_of_mails(life: Life) -> None:
    """A file by e-mail beside calls by External ID, on two browsers."""
    life.put_on_file("a", email=life.mail("a"), first="Lesia")
    life.put_on_file("b", email=life.mail("b"), first="Roman")
    life.visit("a", cookie=life.name("ca"))
    life.claim("a", cookie=life.name("ca"), email=life.mail("a"))
    life.visit("a", cookie=life.name("ca"))
    life.post("a", x=life.name("A"), email=life.mail("a"))
    life.post("b", x=life.name("B"), email=life.mail("b"), cookie=life.name("cb"))
    life.visit("b", cookie=life.name("cb"))


HOT_LIVES = 50
HOT = "everybody"
LATE = timedelta(days=60)


def hot_cookie(people: int) -> Tells:
    """A shop's server sends one cookie with everybody; later somebody looks around with it. Many lives
    share it, so that many requests are under way at once."""

    def tell(life: Life) -> None:
        for number in range(people // HOT_LIVES):
            who = f"h{number}"
            life.post(who, x=life.name(who), email=life.mail(who), cookie=HOT)
        life.believed.pop(HOT, None)  # it stands for nobody
        life.now += LATE
        life.visit("h0", cookie=HOT)

    return tell


LIVES: tuple[tuple[str, Tells, int], ...] = (
    ("alone", alone, 30),
    ("household", household, 30),
    ("one mailbox", one_mailbox, 15),
    ("kiosk", kiosk, 10),
    ("account switch", account_switch, 20),
    ("used again", used_again, 15),
    ("typo", typo, 15),
    ("typo of another", typo_of_another, 15),
    ("offline", offline, 20),
    ("guests", guests, 15),
    ("same phone", same_phone, 15),
    ("phone first", phone_first, 20),
    ("phone of two", phone_of_two, 10),
    ("newsletter and app", newsletter_and_app, 15),
    ("two channels", two_channels, 15),
    ("file of mails", file_of_mails, 15),
)
"""Name, what it tells, and how many of it in a run."""


def live(seed: int, scale: float, hot: int) -> list[Life]:
    """All lives of a run."""
    lives = []
    kinds = [*LIVES, ("hot cookie", hot_cookie(hot), HOT_LIVES / scale)]
    for kind, tell, number in kinds:
        for place in range(max(1, round(number * scale))):
            name = kind.replace(" ", "-")
            life = Life(name, place, random.Random(f"{seed}/{kind}/{place}"))
            tell(life)
            lives.append(life)
    return lives
