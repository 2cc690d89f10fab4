"""What ``twistd`` finds: one ServiceMaker, and nothing that takes time to import."""

from twisted.application.service import ServiceMaker

timServiceMaker = ServiceMaker(
    "timtw", "timtw.tap", "An instant messaging node.", "tim"
)
