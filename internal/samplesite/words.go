package samplesite

// person is a name as its owner writes it.
type person struct{ first, last, city, country, lang string }

func people() []person {
	return []person{
		{"Amina", "El-Sayed", "Cairo", "EG", "ar"},
		{"محمد", "الخطيب", "القاهرة", "EG", "ar"},
		{"שרה", "כהן", "חיפה", "IL", "he"},
		{"فرهاد", "رضایی", "اصفهان", "IR", "fa"},
		{"伟", "王", "成都市", "CN", "zh_cn"},
		{"美咲", "佐藤", "札幌市", "JP", "ja"},
		{"서연", "김", "부산", "KR", "ko"},
		{"प्रिया", "शर्मा", "जयपुर", "IN", "hi"},
		{"கவிதா", "முருகன்", "மதுரை", "IN", "ta"},
		{"สมชาย", "ใจดี", "เชียงใหม่", "TH", "th"},
		{"Ирина", "Соколова", "Казань", "RU", "ru"},
		{"Ελένη", "Παπαδοπούλου", "Θεσσαλονίκη", "GR", "el"},
		{"Ömer", "Şahin", "İzmir", "TR", "tr"},
		{"Nguyễn", "Thị Hương", "Đà Nẵng", "VN", "vi"},
		{"Jürgen", "Weiß", "Köln", "DE", "de"},
		{"Zoë", "Müller-Lüdenscheidt", "Zürich", "CH", "de"},
		{"Seán", "O'Brien", "Baile Átha Cliath", "IE", "ga"},
		{"Łukasz", "Wiśniewski", "Łódź", "PL", "pl"},
		{"João", "da Conceição", "São Paulo", "BR", "pt_br"},
		{"Siobhan \"Shiv\"", "N\u00ed Bhriain", "Corcaigh", "IE", "en"},
		{"Tama", "Te Whāriki", "Ōtautahi", "NZ", "mi"},
		{"ናርዶስ", "ተስፋዬ", "ጎንደር", "ET", "am"},
		{"Зохра", "Ҡарим", "Өфө", "RU", "ba"},
		{"e\u0301milie", "D\u2019Alembert", "Lie\u0300ge", "BE", "fr"},
		{"Test\\Account", "N/A", "C:\\temp", "US", "en"},
		{"𠮷太郎", "髙橋", "奈良市", "JP", "ja"},
	}
}

// sentences is a corpus of several scripts and of what breaks careless tools.
func sentences() []string {
	return []string{
		"Please read chapter three before our next meeting.",
		"I don't agree: \"equal\" isn't the same as 'identical'.",
		"مرحبا بكم في هذا المقرر، نتمنى لكم التوفيق.",
		"السؤال رقم ١٢: ما الفرق بين \"النص\" و'القيمة'؟",
		"ברוכים הבאים לקורס, נא לקרוא את ההנחיות.",
		"لطفاً پیش از جلسهٔ بعد فصل سوم را بخوانید.",
		"欢迎来到本课程，请先阅读说明。",
		"次の授業までに第３章を読んでください。",
		"다음 시간까지 세 번째 장을 읽어 오세요.",
		"पाठ्यक्रम में आपका स्वागत है, कृपया निर्देश पढ़ें।",
		"இந்தப் பாடத்திற்கு உங்களை வரவேற்கிறோம்.",
		"ยินดีต้อนรับสู่รายวิชานี้",
		"Пожалуйста, прочтите третью главу до занятия.",
		"Παρακαλώ διαβάστε το τρίτο κεφάλαιο.",
		"Lütfen üçüncü bölümü okuyun; ı ile i farklıdır.",
		"Vui lòng đọc chương ba trước buổi học tới.",
		"Straße, Größe, Übung: ß ist nicht ss.",
		"Voilà l'été : « déjà vu » à la carte, naïveté, cœur.",
		"Smile \U0001F600, family \U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466, flag \U0001F1F3\U0001F1FF, thumbs \U0001F44D\U0001F3FD.",
		"Composed \u00e9 and decomposed e\u0301 are two strings; so are \u212b and \u00c5.",
		"Many marks: Z\u0351\u036b\u0343\u036a\u0302a\u0334\u0315l\u0334\u0361g\u0321\u031do\u032f\u034d.",
		"Direction marks: \u200fabc\u200e \u202eright to left\u202c \u2067isolated\u2069.",
		"Beyond the basic plane: \U0001D54F\U0001D550 \U00020BB7 \U0001F9D1\u200D\U0001F680 \U0010FFFD.",
		"A path is C:\\Users\\new\\table, a share is \\\\server\\share\\.",
		"Tab\there, and a line break\nthere, and one more\r\nof the other kind.",
		"Ends COPY if one is careless:\n\\.\nand goes on.",
		"Null is not \\N, not NULL, not '' and not \"null\".",
		"Percent 100%, %s %d, $1 ${x} {{mustache}} <b>bold</b> &amp; &#39;.",
		"Robert'); DROP TABLE students; -- was here /* twice */.",
		"Spaces at both ends are kept:   ",
		"No\u00a0break, zero\u200bwidth, soft\u00adhyphen, line\u2028separator, \ufeffmark, \ufffd.",
		"Control characters \x01\x02\x1b[0m\x1a\x7f are text as well.",
		"x < y && y > z || !z; a ^= b; ~c",
		"Ligature ﬁ, full width ＡＢＣ, Roman Ⅷ, fraction ½, superscript ².",
	}
}

func courseNames() []string {
	return []string{
		"Introduction to Databases", "Grundlagen der Straßenbaukunde", "مقدمة في علم الفلك", "古典文学入門",
		"线性代数（上）", "भारतीय संगीत का इतिहास", "Ελληνική μυθολογία", "История искусства",
		"Kite building for O'Grown-ups", "Mathématiques discrètes", "ประวัติศาสตร์ไทย", "한국어 초급",
		"\U0001F680 Rocket science \U0001F9EA", "Te reo Māori", "Türkçe yazım kuralları", "C:\\> basics, \"hands on\"",
		"100% attendance %s", "Lịch sử Việt Nam", "ספרות עברית", "Physics <II> & more",
	}
}
