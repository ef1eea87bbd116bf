"""Names of threat categories: how files spell them, in any language, and how this application does."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain

from threatmodels.interchange.plain import snake_case

# Framework, then category, then other spellings: earlier English names, and the labels of translated tools.
# A word that one framework uses for two categories, such as the Malay "Keselamatan", is not listed.
SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "STRIDE": {
        "Spoofing": (
            "Spoofing identity", "Falsificação", "Usurpation d'identité", "Suplantación de identidad",
            "Παραπλάνηση", "स्पूफिंग", "なりすまし", "Penipuan", "欺骗", "التزييف", "Спуфинг", "Спуфінг",
        ),
        "Tampering": (
            "Manipulation", "Manipulación", "Falsification", "Adulteração", "Παραποίηση", "छेड़छाड़", "改竄",
            "改ざん", "Penyelewengan", "篡改", "التلاعب", "Tampering with data",
        ),
        "Repudiation": (
            "Nichtanerkennung", "Abstreitbarkeit", "Repudiación", "Répudiation", "Repúdio", "Αποποίηση",
            "अस्वीकृति", "否認", "Penafian", "否认", "رفض", "Repudio",
        ),
        "Information disclosure": (
            "Veröffentlichung von Informationen", "Offenlegung von Informationen", "Brecha de información",
            "Divulgación de información", "Divulgation d'information", "Divulgation d'informations",
            "Divulgação de informações", "Αποκάλυψη Πληροφοριών", "सूचना प्रकटीकरण", "情報漏洩", "情報漏えい",
            "Pendedahan maklumat", "信息泄露", "كشف المعلومات",
        ),
        "Denial of service": (
            "Dienstverweigerung", "Denegación de servicio", "Déni de service", "Negação de serviço",
            "Άρνηση εκτέλεσης υπηρεσίας", "सेवा से इनकार", "サービス拒否", "Penafian Perkhidmatan", "拒绝服务",
            "إنكار الخدمة",
        ),
        "Elevation of privilege": (
            "Elevation of priviledge", "Elevation of privileges", "Privilege escalation",
            "Erhöhung von Rechten", "Rechteausweitung", "Elevación de privilegios",
            "Élévation de privilège", "Élévation de privilèges", "Elevação de privilégio",
            "Elevação de privilégios", "Αναβάθμιση προνομίων", "विशेषाधिकार का उन्नयन", "特権の昇格",
            "権限昇格", "Kenaikan Hak", "权限提升", "تسلق الامتياز",
        ),
    },
    "LINDDUN": {
        "Linking": (
            "Linkability", "Facilidad de vinculación", "Capacité de liaison", "Associabilidade",
            "Ligabilidade", "Συνδεσιμότητα", "लिंक करने की क्षमता", "Pautan", "可链接性", "القابلية للربط",
        ),
        "Identifying": (
            "Identifiability", "Identificabilidad", "Identifiabilité", "Identificabilidade",
            "Αναγνωρισιμότητα", "पहचान", "Pengenalpastian", "可识别性", "التعرف",
        ),
        "Non-repudiation": (
            "Non repudiation", "No-repudiación", "Non-répudiation", "Não repúdio", "Não-repúdio",
            "Μη αποποίηση", "अप्रतिबंध", "Tidak boleh menafikan", "不可否认性", "عدم الإنكار",
        ),
        "Detecting": (
            "Detectability", "Detectabilidad", "Détectabilité", "Detetabilidade", "Detectabilidade",
            "Ανιχνευσιμότητα", "डिटेक्टेबिलिटी", "Ketahuan", "可检测性", "الكشف",
        ),
        "Data disclosure": (
            "Disclosure of information", "Information disclosure", "Brecha de información",
            "Divulgation d'information", "Divulgação de informações", "Αποκάλυψη Πληροφοριών",
            "सूचना का प्रकटीकरण", "Pendedahan maklumat", "信息泄露", "كشف المعلومات",
        ),
        "Unawareness and unintervenability": (
            "Unawareness", "Falta de Conciencia", "Inconscience", "Desconhecimento", "Desconhecido",
            "Έλλειψη επίγνωσης", "अनभिज्ञता", "Tanpa sedar", "不知情", "عدم الوعي", "Content unawareness",
        ),
        "Non-compliance": (
            "Noncompliance", "Policy and consent noncompliance", "Incumplimiento", "Non-conformité",
            "Não conformidade", "Μη συμμόρφωση", "गैर-अनुपालन", "Pelanggaran", "Tidak Mematuhi", "不合规",
            "عدم الامتثال",
        ),
    },
    "CIA": {
        "Confidentiality": (
            "Vertraulichkeit", "Confidencialidad", "Confidentialité", "Confidencialidade", "Εμπιστευτικότητα",
            "गोपनीयता", "機密性", "机密性", "السرية", "Kerahsiaan", "Kerahasiaan", "Luottamuksellisuus",
            "Конфиденциальность", "Конфіденційність",
        ),
        "Integrity": (
            "Integrität", "Integridad", "Intégrité", "Integridade", "Ακεραιότητα", "ईमानदारी", "完全性",
            "完整性", "النزاهة", "Integriti", "Integritas", "Eheys", "Целостность", "Цілісність",
        ),
        "Availability": (
            "Verfügbarkeit", "Disponibilidad", "Disponibilité", "Disponibilidade", "Διαθεσιμότητα", "उपलब्धता",
            "可用性", "التوفر", "Ketersediaan", "Kebolehsediaan", "Saatavuus", "Доступность", "Доступність",
        ),
    },
    "DIE": {
        "Distributed": ("Verteilt", "Distribuído", "موزع", "वितरित", "分散化", "分布式", "Teragih"),
        "Immutable": (
            "Unveränderlich", "Imutável", "لا يمكن تغييره", "अपरिवर्तनीय", "不変", "不可变性", "Tidak Berubah",
        ),
        "Ephemeral": (
            "Flüchtig", "Efémero", "Efêmero", "Εφήμερο", "زائل", "क्षणिक", "一時的", "短暂性", "Efemeral",
        ),
    },
    # The eight of today; the words after each are those of the first edition, which Threat Dragon still has.
    "PLOT4ai": {
        "Data and data governance": (
            "Technique and processes", "Técnica e Processos", "Τεχνική & Διαδικασίες",
            "तकनीक और प्रक्रियाएँ", "Teknik & Proses", "技术 & 过程", "تقنية وعمليات",
        ),
        "Transparency and accessibility": (
            "Accessibility", "Acessibilidade", "Προσβασιμότητα", "सुलभता", "Aksesibilitas", "Aksesibiliti",
            "可访问性", "Unawareness", "Desconhecimento", "Desconhecido", "Έλλειψη επίγνωσης", "अनजानी",
            "Tanpa sedar", "不知情", "عدم الوعي",
        ),
        "Privacy and data protection": (
            "Identifiability and linkability", "Identificabilidade e Associabilidade",
            "Identificabilidade e Ligabilidade", "Αναγνωρισιμότητα & Συνδεσιμότητα",
            "पहचान योग्यता और संबंधनीयता", "Pengenalpastian & Pautan", "可识别性 & 可链接性", "التعرف والربط",
        ),
        "Cybersecurity": ("Security", "Segurança", "Keamanan", "信息安全", "الأمان"),
        "Safety and environmental impact": ("Safety", "Seguro", "系统安全", "السلامة"),
        "Bias, fairness and discrimination": (),
        "Ethics and human rights": (
            "Ética e Direitos Humanos", "Ηθική και Ανθρώπινα Δικαιώματα", "नैतिकता और मानवाधिकार",
            "Etika & Hak Asasi Manusia", "伦理 & 人权", "الأخلاق وحقوق الإنسان",
        ),
        "Accountability and human oversight": (
            "Non-compliance", "Não conformidade", "Μη συμμόρφωση", "अनुपालन न करना", "Pelanggaran",
            "Tidak Mematuhi", "不合格", "عدم الامتثال",
        ),
    },
}  # fmt: skip

# "Tampering / Manipulación", "Αποποίηση (Repudiation)", "Spoofing التزييف": two languages in one label.
BOUNDARY = re.compile(r"\s*/\s*|\s+-\s+|\s*[()]\s*|(?<=[a-z])\s+(?=[\u0600-\u06ff])")


def category(label: str, framework: str | None = None) -> str | None:
    """The category that a label of a file means, in the framework's own English name, else None.

    `framework` decides where two frameworks share a word. Keys of translations such as
    `threats.model.stride.denialOfService` are labels too.
    """
    if label.startswith("threats.model."):
        label = snake_case(label.rpartition(".")[2]).replace("_", " ")
    order = sorted(SPELLINGS, key=lambda name: name != framework)
    whole = (_find(name, label) for name in order)
    # A part alone is weaker evidence, so it counts in the first framework only.
    parts = (_find(order[0], part) for part in BOUNDARY.split(label))
    return next(filter(None, chain(whole, parts)), None)


def _find(framework: str, text: str) -> str | None:
    return _index(framework).get(_folded(text))


@cache
def _index(framework: str) -> dict[str, str]:
    return {
        _folded(spelling): name
        for name, others in SPELLINGS[framework].items()
        for spelling in (*others, name)
    }


def _folded(text: str) -> str:
    """For comparison: no case, no difference of form, one kind of apostrophe, one kind of "and"."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("&", "and")
    return " ".join(plain.replace("-", " ").split())
