from shared.main import main, only_check

only_check("rekognition")

from services.rekognition.app import build  # noqa: E402  takes seconds, which a check need not

main("rekognition", build)
