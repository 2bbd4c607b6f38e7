"""Sentences in many languages and scripts, and what must come back of a text after tokenization."""

import random
import unicodedata

SENTENCES = {
    "German": "Heute möchte er Tee, früher mochte er Öl aus Groß-Gerau; die STRASSE heißt Straße.",
    "French": "L'été, Noël et garçon: où êtes-vous né, à l'œuvre?",
    "Polish": "Zażółć gęślą jaźń, ŁÓDŹ.",
    "Turkish": "İstanbul'da ılık bir IŞIK, DİYARBAKIR ve ızgara.",
    "Vietnamese": "Tiếng Việt có dấu: má mà mả mã mạ, ĐƯỜNG phố.",
    "Greek": "Ο Οδυσσέας είπε: ΟΔΟΣ, Σοφός, ΣΑΣ και σ' αγαπώ.",
    "Russian": "Всё ещё й и и, ещё Ёлка и чёрный чай.",
    "Ukrainian": "Їжак і ґава, Європа.",
    "Hindi": "दिल्ली में हिन्दी, किताब और कुत्ता।",
    "Bengali": "আমি বাংলায় গান গাই।",
    "Tamil": "தமிழ் மொழி, கொடி.",
    "Malayalam": "മലയാളം ന\u0d4d\u200d ൻ വന്നു.",
    "Thai": "ที่นี่มีน้ำ ไม่มีใครอยู่ที่นี่",
    "Lao": "ຂ້ອຍກິນເຂົ້າ ຢູ່ນີ້",
    "Khmer": "ខ្ញុំស្រឡាញ់\u200bភាសា\u200bខ្មែរ។",
    "Burmese": "မြန်မာစကားပြောသည်။",
    "Tibetan": "བོད་ཡིག་ཡག་པོ་ཡོད།",
    "Japanese": "学校でパンとバンとハンを食べた。がぎぐげご、ビール。",
    "Chinese": "我们在学校吃面包，𠮷野家也好。",
    "Korean": "학교에 가는 길에 한국어를 배웠다.",
    "Arabic": "كَتَبَ الوَلَدُ الدَّرْسَ، كُتِبَ الدَّرْسُ.",
    "Persian": "می\u200cخواهم کتاب\u200cها را بخوانم.",
    "Hebrew": "שָׁלוֹם עוֹלָם, \u202bסֵפֶר\u202c ספר.",
    "Armenian": "Ես սիրում եմ Հայաստանը։",
    "Georgian": "მე მიყვარს ქართული ენა.",
    "Amharic": "ሰላም ለዓለም።",
    "Cherokee": "ᎣᏏᏲ ᏣᎳᎩ.",
    "emoji": "👩‍👩‍👧 und 👩👩👧, 👍🏽 👍 ❤️ ❤ 🏳️‍🌈 🇩🇪!",
    "hyphens": "Donau\u00addampf\u00adschiff und Donaudampfschiff\u2011Fahrt.",
    "symbols": "x₁² + ½ ≠ ∑ √2 €5 ™ ﬁne ①②.",
}
# The zero-width spaces, which str.split does not know.
BLANKS = {0x200B: " ", 0xFEFF: " "}


def read_as(text: str) -> str:
    """What must come back: the lower-cased text in composed characters, without blanks."""
    return "".join(unicodedata.normalize("NFC", text.lower()).translate(BLANKS).split())


def paragraphs_of(sentence: str, n: int = 60) -> str:
    """A text of the sentence's words, no two paragraphs alike."""
    draw = random.Random(0)
    words = sentence.split()
    return "\n\n".join(" ".join(draw.sample(words * 3, len(words) * 2)) + f" {i}" for i in range(n))
